import type { MaybePromise } from './maybe-promise.js'

/**
 * Remembers what must not come twice: the proofs that were sent with bound tokens. One for all processes that serve the
 * same address, or a proof that was overheard works once more in each of them.
 */
export interface ReplayMemory {
  /**
   * True the first time in `forMs` milliseconds, false after that: in one step, so that of two who ask at once one
   * is told true. Throws or rejects where that cannot be promised: full, out of reach, emptied.
   *
   * `key`: at most 100 characters of base64url, that say nothing of what they stand for. `holder`: the thumbprint of the
   * key that signed the proof, as many characters at most, for a memory that gives each key no more than a share.
   */
  remember(key: string, forMs: number, holder: string): MaybePromise<boolean>
}
