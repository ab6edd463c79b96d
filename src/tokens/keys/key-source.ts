import type { MaybePromise } from '../../decisions/maybe-promise.js'
import type { VerificationKey } from './verification-key.js'

/** Keys at one moment. The object itself is the revision: the same keys are the same object. */
export interface KeySet {
  /**
   * The keys that a token of this `kid` and algorithm can mean.
   *
   * @throws ClienteleFault where the issuer publishes none at all: that says nothing of the token.
   */
  candidates(kid: string | undefined, algorithm: string): readonly VerificationKey[]
}

/** Where a verifier has its keys from. Whatever goes wrong is a `ClienteleFault`: no keys is never a bad token. */
export interface KeySource {
  /** The set in force, if it is at hand and need not be asked for. */
  fresh(): KeySet | undefined
  current(): MaybePromise<KeySet>
  /**
   * For a token whose key is not in `keys`: the set as it is now. Asks only once in a while, however many tokens
   * name keys that never were; `keys` itself is the answer that there are no others.
   */
  after(keys: KeySet, kid: string | undefined): MaybePromise<KeySet>
  /** For people: has the set fetched now, or rejects. */
  refresh(): Promise<unknown>
}
