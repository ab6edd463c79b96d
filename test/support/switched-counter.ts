import type { Counter } from '../../src/limits/counter.js'
import type { MaybePromise } from '../../src/decisions/maybe-promise.js'

/** How a counter is out of reach. */
export type Failure = 'throws' | 'rejects' | 'hangs' | 'talks nonsense'

export interface SwitchedCounter extends Counter {
  /** `undefined`: answers as the counter behind it does. */
  failure: Failure | undefined
}

/** A counter of somebody's own: hands everything on to a real one, until it is switched off. */
export function switchedCounter(behind: Counter): SwitchedCounter {
  const through = <T>(work: () => MaybePromise<T>): MaybePromise<T> => {
    if (counter.failure === undefined) return work()
    if (counter.failure === 'throws') throw new Error('connect ECONNREFUSED')
    if (counter.failure === 'rejects') return Promise.reject(new Error('connect ECONNREFUSED'))
    return counter.failure === 'hangs' ? new Promise(() => undefined) : (undefined as T)
  }
  const counter: SwitchedCounter = {
    failure: undefined,
    take: (subject, limits, cost) => through(() => behind.take(subject, limits, cost)),
    peek: (subject, limits) => through(() => behind.peek(subject, limits)),
    giveBack: (receipt, cost) => through(() => behind.giveBack(receipt, cost)),
    reset: (subject) => through(() => behind.reset(subject)),
  }
  return counter
}
