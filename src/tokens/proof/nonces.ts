import { createHmac } from 'node:crypto'

/**
 * Nonces that every process with the same secret makes and knows, and nobody keeps (RFC 9449 §9): one for each span
 * of time. A proof that holds one was not made before that span.
 */
export class Nonces {
  readonly #secret: string
  readonly #lifetimeMs: number
  readonly #made = new Map<number, string>()

  constructor(secret: string, lifetimeSeconds: number) {
    this.#secret = secret
    this.#lifetimeMs = lifetimeSeconds * 1000
  }

  /** What callers are told to use from now on. */
  current(): string {
    return this.#of(this.#span())
  }

  /** The one of the next span counts too: the clock of the process that gave it may be ahead of ours. */
  knows(nonce: unknown): boolean {
    const span = this.#span()
    return nonce === this.#of(span) || nonce === this.#of(span - 1) || nonce === this.#of(span + 1)
  }

  #span(): number {
    return Math.floor(Date.now() / this.#lifetimeMs)
  }

  #of(span: number): string {
    let nonce = this.#made.get(span)
    if (nonce === undefined) {
      if (this.#made.size > 3) this.#made.clear()
      nonce = createHmac('sha256', this.#secret).update(`dpop nonce ${span}`).digest('base64url')
      this.#made.set(span, nonce)
    }
    return nonce
  }
}
