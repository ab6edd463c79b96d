import { andThen, type MaybePromise } from '../../decisions/maybe-promise.js'
import type { KeySet, KeySource } from './key-source.js'

/** Names of the keys of one issuer that are not to be believed any more, whatever it publishes. Only grows. */
export type DistrustedKids = ReadonlySet<string>

/** The keys of a source without those that somebody has called out. */
export class TrustedKeys implements KeySource {
  readonly #source: KeySource
  readonly #distrusted: DistrustedKids
  #last: { readonly of: KeySet; readonly distrusted: number; readonly set: KeySet } | undefined

  constructor(source: KeySource, distrusted: DistrustedKids) {
    this.#source = source
    this.#distrusted = distrusted
  }

  /** For a check that was under way when the key was called out. */
  trusts(kid: string | undefined): boolean {
    return kid === undefined || !this.#distrusted.has(kid)
  }

  fresh(): KeySet | undefined {
    const set = this.#source.fresh()
    return set === undefined ? undefined : this.#trusted(set)
  }

  current(): MaybePromise<KeySet> {
    return andThen(this.#source.current(), (set) => this.#trusted(set))
  }

  after(keys: KeySet, kid: string | undefined): MaybePromise<KeySet> {
    // Nobody need be asked about a key that is not believed.
    if (!this.trusts(kid)) return keys
    const former = this.#last?.set === keys ? this.#last.of : keys
    return andThen(this.#source.after(former, kid), (set) => this.#trusted(set))
  }

  refresh(): Promise<unknown> {
    return this.#source.refresh()
  }

  /** Another object as soon as one more key is called out, so that nothing verified under the old one is found. */
  #trusted(set: KeySet): KeySet {
    const { size } = this.#distrusted
    if (size === 0) return set
    if (this.#last?.of !== set || this.#last.distrusted !== size) {
      this.#last = { of: set, distrusted: size, set: without(set, this.#distrusted) }
    }
    return this.#last.set
  }
}

function without(set: KeySet, distrusted: DistrustedKids): KeySet {
  return {
    candidates: (kid, algorithm) =>
      kid !== undefined && distrusted.has(kid)
        ? []
        : set.candidates(kid, algorithm).filter((key) => key.kid === undefined || !distrusted.has(key.kid)),
  }
}
