import { randomUUID } from 'node:crypto'
import { limitAlgorithms, type LimitAlgorithm } from '../decisions/limit.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import type { Counter } from '../limits/counter.js'
import { subjectOf } from '../limits/subject.js'
import { byAlgorithm, together } from './counter/algorithms.js'
import { corrections } from './counter/corrections.js'
import { counting } from './counter/counting.js'
import { windows } from './counter/windows.js'
import type { SuiteRunner } from './runner.js'

export interface CounterSuiteOptions {
  /** The ways to count that it knows, for one that does not know them all; `fixed` always. @default all */
  readonly algorithms?: readonly LimitAlgorithm[]
}

/**
 * For whoever writes a counter: holds it to the port, the concurrency included. Needs about six seconds, since some
 * windows have to end. `makeCounter` is called once per test; counters may share their memory.
 *
 * @example
 * testCounter('my counter', () => myCounter(), { describe, it })
 */
export function testCounter(
  name: string,
  makeCounter: () => MaybePromise<Counter>,
  { describe, it }: SuiteRunner,
  { algorithms = limitAlgorithms }: CounterSuiteOptions = {},
): void {
  const cases = [counting, windows, corrections, ...algorithms.map((algorithm) => byAlgorithm[algorithm])]
  if (limitAlgorithms.every((algorithm) => algorithms.includes(algorithm))) cases.push(together)
  describe(`${name}: a counter`, () => {
    for (const [title, run] of cases.flatMap(Object.entries<(typeof counting)[string]>)) {
      it(title, async () => run({ counter: await makeCounter(), subject: subjectOf('suite', randomUUID()) }))
    }
  })
}
