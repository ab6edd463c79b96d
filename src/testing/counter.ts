import { randomUUID } from 'node:crypto'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import type { Counter } from '../limits/counter.js'
import { subjectOf } from '../limits/subject.js'
import { corrections } from './counter/corrections.js'
import { counting } from './counter/counting.js'
import { windows } from './counter/windows.js'
import type { SuiteRunner } from './runner.js'

/**
 * For whoever writes a counter: holds it to the port, the concurrency included. Needs about two seconds, since some
 * windows have to end. `makeCounter` is called once per test; counters may share their memory.
 *
 * @example
 * testCounter('my counter', () => myCounter(), { describe, it })
 */
export function testCounter(
  name: string,
  makeCounter: () => MaybePromise<Counter>,
  { describe, it }: SuiteRunner,
): void {
  describe(`${name}: a counter`, () => {
    for (const [title, run] of Object.entries({ ...counting, ...windows, ...corrections })) {
      it(title, async () => run({ counter: await makeCounter(), subject: subjectOf('suite', randomUUID()) }))
    }
  })
}
