import type { MaybePromise } from '../../decisions/maybe-promise.js'
import type { Moment } from '../../runtime/moment.js'
import type { TokenBucket } from '../../runtime/token-bucket.js'
import type { Pair } from './pairs.js'

/** One of the three things that are asked of a store, by the two parts of its key. */
export interface Question<T> {
  ask(pair: Pair): MaybePromise<unknown>
  /** What the store handed over, checked. Throws. */
  read(found: object): T
  /** The later of the two. Throws for one that is older than what this process has seen. */
  newer(before: T | undefined, found: T, moment: number): T
  /** When a hint last said that this answer is no longer right. */
  hintedAt(pair: Pair, answer: T | undefined): number
  /** Of a copy alone: until when what it answers now may be taken for true. Throws where it cannot be. */
  readonly ends?: (() => Moment) | undefined
  /** Only where strangers choose what is asked for. */
  readonly budget?: TokenBucket
}

export interface LookupTimes {
  readonly freshForMs: number
  readonly staleForMs: number
  readonly unknownForMs: number
  readonly timeoutMs: number
}

export interface LookupBounds {
  readonly maxEntries: number
  readonly maxUnknown: number
}
