import { ClienteleFault } from '../decisions/faults.js'
import { andThenWith, type MaybePromise } from '../decisions/maybe-promise.js'
import { monotonicClock } from '../runtime/clock.js'
import { deadline } from '../runtime/deadline.js'
import { hasPassed, momentNow, never } from '../runtime/moment.js'
import { listAll } from './every-record.js'
import type { Revocation } from './model.js'
import type { ContractStore } from './store.js'

/** What a list is read from. */
export type RevocationSource = Pick<ContractStore, 'list'> & Partial<Pick<ContractStore, 'watch' | 'freshness'>>

/** As much of a token as a list goes by. */
export interface ListedToken {
  readonly issuer: string
  /** Its `jti`, `sub` and `iat`, whatever they are. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly clientId: string | undefined
}

/** The longest that a revocation takes to work where nobody says that there is one. */
const mostAgeMs = 1000
/** Where the store says so, the list is read again all the same: what is out of reach must be noticed. */
const mostWatchedAgeMs = 5000
/** Nobody is asked again so soon after a failure. */
const pauseMs = 250

type Moments = ReadonlyMap<string, number>

/**
 * All revocations of a store, held in this process: a look-up costs no question. Read again before it is too old, and
 * at once when the store says that something has changed; one that cannot be read is nobody's answer.
 */
export class RevocationList {
  readonly #source: RevocationSource
  readonly #timeoutMs: number
  /** By issuer and target, up to which `iat` in seconds. */
  #byIssuer: ReadonlyMap<string, Moments> = new Map()
  #readAt = -Infinity
  /** When a copy that it was read from may no longer be relied on. */
  #ends = never
  #changedAt = -Infinity
  #reading: Promise<void> | undefined
  #failure: { readonly fault: ClienteleFault; readonly until: number } | undefined
  #isWatching = false

  constructor(source: RevocationSource, timeoutMs: number) {
    this.#source = source
    this.#timeoutMs = timeoutMs
  }

  /** Fails with `ERR_CLIENTELE_REVOCATION` where the list cannot be read. */
  isRevoked(token: ListedToken): MaybePromise<boolean> {
    return andThenWith(this.#current(), isListed, token)
  }

  #current(): MaybePromise<ReadonlyMap<string, Moments>> {
    const age = monotonicClock() - this.#readAt
    const most = this.#isWatching ? mostWatchedAgeMs : mostAgeMs
    if (this.#changedAt > this.#readAt || age >= most || this.#hasEnded()) return this.#readNow()
    // Before it is too old, so that nobody waits.
    if (age >= most / 2 && this.#reading === undefined) this.#readNow().catch(() => undefined)
    return this.#byIssuer
  }

  #hasEnded(): boolean {
    return this.#ends !== never && hasPassed(this.#ends)
  }

  async #readNow(): Promise<ReadonlyMap<string, Moments>> {
    await this.#joinReading()
    // A reading that began before a change may not have it. Once is enough: this one begins after whoever asks came.
    if (this.#changedAt > this.#readAt) await this.#joinReading()
    return this.#byIssuer
  }

  async #joinReading(): Promise<void> {
    if (this.#reading === undefined && this.#failure !== undefined && monotonicClock() < this.#failure.until) {
      throw this.#failure.fault
    }
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    await this.#reading
  }

  async #read(): Promise<void> {
    this.#watchOnce()
    const startedAt = monotonicClock()
    try {
      const freshness = this.#source.freshness?.()
      const reading = listAll(this.#source, { kind: 'revocation' })
      const list = await deadline(reading, this.#timeoutMs, () => unreadable())
      this.#byIssuer = momentsOf(list)
      this.#readAt = startedAt
      this.#ends = freshness === undefined ? never : momentNow(-freshness.leftMs)
      this.#failure = undefined
    } catch (cause) {
      const fault = unreadable(cause)
      this.#failure = { fault, until: monotonicClock() + pauseMs }
      throw fault
    }
  }

  /** Before the first reading, so that no change falls in between. */
  #watchOnce(): void {
    if (this.#isWatching || this.#source.watch === undefined) return
    const changed = (): void => {
      this.#changedAt = monotonicClock()
    }
    this.#source.watch((keys) => {
      if (keys.some(({ kind }) => kind === 'revocation')) changed()
    }, changed)
    this.#isWatching = true
  }
}

function isListed(byIssuer: ReadonlyMap<string, Moments>, { issuer, claims, clientId }: ListedToken): boolean {
  const moments = byIssuer.get(issuer)
  if (moments === undefined) return false
  const { jti, sub, iat } = claims
  // A token that does not say when it was issued may be older than the moment.
  const issuedAt = typeof iat === 'number' ? iat : -Infinity
  return (
    (typeof jti === 'string' && moments.has(`token:${jti}`)) ||
    (typeof sub === 'string' && issuedAt <= (moments.get(`subject:${sub}`) ?? NaN)) ||
    (clientId !== undefined && issuedAt <= (moments.get(`client:${clientId}`) ?? NaN))
  )
}

function momentsOf(list: readonly Revocation[]): ReadonlyMap<string, Moments> {
  const byIssuer = new Map<string, Map<string, number>>()
  for (const { issuer, target, issuedBefore } of list) {
    const moments = byIssuer.get(issuer) ?? new Map<string, number>()
    byIssuer.set(issuer, moments)
    moments.set(target, issuedBefore === undefined ? Infinity : Date.parse(issuedBefore) / 1000)
  }
  return byIssuer
}

function unreadable(cause?: unknown): ClienteleFault {
  const message = 'The list of revoked tokens cannot be read from the contract store.'
  return new ClienteleFault('ERR_CLIENTELE_REVOCATION', message, { cause })
}
