import type { CompactVerifyGetKey } from 'jose'
import type { MaybePromise } from '../../decisions/maybe-promise.js'

/** Keys at one moment. The object itself is the revision: the same keys are the same object. */
export interface KeySet {
  readonly find: CompactVerifyGetKey
}

/** Where a verifier has its keys from. Every rejection is a `ClienteleFault`: no keys is never a bad token. */
export interface KeySource {
  current(): MaybePromise<KeySet>
  /** Whether `keys` are the ones in force and may be used without asking. */
  isFresh(keys: KeySet): boolean
  /**
   * For a token whose key is not in `keys`: the set as it is now. Asks at most once in a while, however many
   * tokens name keys that never were, and gives `keys` back when it is not time to ask.
   */
  after(keys: KeySet): MaybePromise<KeySet>
}
