import { randomBytes } from 'node:crypto'

/** Names that nobody else gives, in any process. */
export class Names {
  readonly process = randomBytes(9).toString('base64url')
  #given = 0

  next(): string {
    this.#given += 1
    return `${this.process}.${this.#given.toString(36)}`
  }
}
