import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import type { Counter, CounterLimit } from '../limits/counter.js'
import { subjectOf } from '../limits/subject.js'
import type { SuiteRunner } from './runner.js'

interface Bench {
  readonly counter: Counter
  /** Not counted before, on a counter that may be shared with other tests. */
  readonly subject: string
}
type Case = (bench: Bench) => Promise<void>

const shortWindowMs = 300
/** Timers and clocks of two machines need not agree to the millisecond. */
const marginMs = 60

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
    for (const [title, run] of Object.entries(cases)) {
      it(title, async () => run({ counter: await makeCounter(), subject: subjectOf('suite', randomUUID()) }))
    }
  })
}

function limitOf(requests: number, windowMs = 3_600_000): CounterLimit {
  return { key: `fixed:${windowMs}`, requests, windowMs, algorithm: 'fixed' }
}

async function takes({ counter, subject }: Bench, limits: readonly CounterLimit[], cost = 1): Promise<boolean> {
  return (await counter.take(subject, limits, cost)).taken
}

async function used({ counter, subject }: Bench, limits: readonly CounterLimit[]): Promise<number[]> {
  return (await counter.peek(subject, limits)).map((reading) => reading.used)
}

const counting: Record<string, Case> = {
  'counts up to the limit and reads what is left': async ({ counter, subject }) => {
    const limits = [limitOf(2)]
    const [before] = await counter.peek(subject, limits)
    assert.deepEqual(before, { used: 0, remaining: 2, resetMs: 0 })
    const first = await counter.take(subject, limits, 1)
    assert.equal(first.taken, true)
    assert.equal(first.readings.length, 1)
    assert.equal(first.readings[0]?.used, 1)
    assert.equal(first.readings[0].remaining, 1)
    assert.ok(first.readings[0].resetMs > 3_500_000 && first.readings[0].resetMs <= 3_600_000)
    assert.equal((await counter.take(subject, limits, 1)).taken, true)
    const third = await counter.take(subject, limits, 1)
    assert.equal(third.taken, false)
    assert.equal(third.readings[0]?.used, 2)
    assert.equal(third.readings[0].remaining, 0)
  },

  'charges several limits all or none': async (bench) => {
    const limits = [limitOf(10, 60_000), limitOf(2), limitOf(10, 7_200_000)]
    assert.equal(await takes(bench, limits, 2), true)
    assert.equal(await takes(bench, limits), false)
    assert.deepEqual(await used(bench, limits), [2, 2, 2])
  },

  'admits exactly 50 of 1000 concurrent takes at a limit of 50': async (bench) => {
    const limits = [limitOf(50), limitOf(100, 60_000)]
    const answers = await Promise.all(Array.from({ length: 1000 }, async () => takes(bench, limits)))
    assert.equal(answers.filter(Boolean).length, 50)
    assert.deepEqual(await used(bench, limits), [50, 50])
  },

  'does not open a window when it refuses': async ({ counter, subject }) => {
    const limits = [limitOf(5), limitOf(1, 60_000)]
    assert.equal((await counter.take(subject, limits, 2)).taken, false)
    const readings = await counter.peek(subject, limits)
    assert.deepEqual(
      readings.map(({ used, resetMs }) => [used, resetMs]),
      [
        [0, 0],
        [0, 0],
      ],
    )
  },

  'weighs a cost, and lets nothing past that is too heavy': async (bench) => {
    const limits = [limitOf(10)]
    assert.equal(await takes(bench, limits, 7), true)
    assert.equal(await takes(bench, limits, 4), false)
    assert.equal(await takes(bench, limits, 2.5), true)
    assert.equal(await takes(bench, limits, 0.5), true)
    assert.deepEqual(await used(bench, limits), [10])
    assert.equal(await takes(bench, limits, 0), true)
    assert.equal(await takes(bench, limits, 0.5), false)
  },

  'refuses a cost that is no amount, and charges nothing for it': async (bench) => {
    const limits = [limitOf(10)]
    for (const cost of [NaN, Infinity, -Infinity, -1]) {
      await assert.rejects(async () => bench.counter.take(bench.subject, limits, cost))
    }
    assert.deepEqual(await used(bench, limits), [0])
  },

  'keeps the keys (a, bc) and (ab, c) apart': async ({ counter }) => {
    const limits = [limitOf(1)]
    const run = randomUUID()
    assert.equal((await counter.take(subjectOf(`${run}a`, 'bc'), limits, 1)).taken, true)
    assert.equal((await counter.take(subjectOf(`${run}ab`, 'c'), limits, 1)).taken, true)
    assert.equal((await counter.take(subjectOf(`${run}a`, 'bc'), limits, 1)).taken, false)
  },
}

const windows: Record<string, Case> = {
  'turns a window, each limit by itself': async (bench) => {
    const limits = [limitOf(1, shortWindowMs), limitOf(2)]
    assert.equal(await takes(bench, limits), true)
    assert.equal(await takes(bench, limits), false)
    await sleep(shortWindowMs + marginMs)
    assert.deepEqual(await used(bench, limits), [0, 1])
    assert.equal(await takes(bench, limits), true)
    await sleep(shortWindowMs + marginMs)
    assert.equal(await takes(bench, limits), false)
  },

  'does not draw a window out, neither by admitting nor by refusing': async (bench) => {
    const limits = [limitOf(2, shortWindowMs)]
    const startedAt = Date.now()
    for (let taken = 0; Date.now() - startedAt < shortWindowMs / 2; taken += 1) {
      assert.equal(await takes(bench, limits), taken < 2)
      await sleep(10)
    }
    await sleep(startedAt + shortWindowMs + marginMs - Date.now())
    assert.equal(await takes(bench, limits), true)
  },

  'binds a lowered limit at once, until what is used fits': async ({ counter, subject }) => {
    for (let taken = 0; taken < 8; taken += 1) await counter.take(subject, [limitOf(10)], 1)
    const lowered = await counter.take(subject, [limitOf(5)], 1)
    assert.equal(lowered.taken, false)
    assert.equal(lowered.readings[0]?.used, 8)
    assert.equal(lowered.readings[0].remaining, 0)
    assert.equal((await counter.take(subject, [limitOf(9)], 1)).taken, true)
  },

  'keeps the charge when the tier changes': async (bench) => {
    assert.equal(await takes(bench, [limitOf(5, 60_000), limitOf(5)], 4), true)
    const other = [limitOf(10), limitOf(3, 7_200_000)]
    assert.equal(await takes(bench, other, 2), true)
    assert.deepEqual(await used(bench, other), [6, 2])
    assert.deepEqual(await used(bench, [limitOf(5, 60_000), limitOf(5)]), [4, 6])
  },
}

const corrections: Record<string, Case> = {
  'gives back once per receipt, and never more than was charged': async (bench) => {
    const { counter, subject } = bench
    const limits = [limitOf(10), limitOf(20, 60_000)]
    await counter.take(subject, limits, 3)
    const { receipt } = await counter.take(subject, limits, 4)
    await counter.giveBack(receipt, 1)
    assert.deepEqual(await used(bench, limits), [6, 6])
    await counter.giveBack(receipt, 1)
    assert.deepEqual(await used(bench, limits), [6, 6])
    const { receipt: second } = await counter.take(subject, limits, 2)
    await counter.giveBack(second, 100)
    assert.deepEqual(await used(bench, limits), [6, 6])
  },

  'refuses to give back what is no amount': async (bench) => {
    const limits = [limitOf(10)]
    const { receipt } = await bench.counter.take(bench.subject, limits, 3)
    for (const cost of [NaN, Infinity, -1]) await assert.rejects(async () => bench.counter.giveBack(receipt, cost))
    assert.deepEqual(await used(bench, limits), [3])
  },

  'gives nothing back for a refused take': async (bench) => {
    const limits = [limitOf(3)]
    await bench.counter.take(bench.subject, limits, 3)
    const { receipt } = await bench.counter.take(bench.subject, limits, 1)
    await bench.counter.giveBack(receipt, 1)
    assert.deepEqual(await used(bench, limits), [3])
  },

  'gives back into the window that was charged, and not into the next': async (bench) => {
    const { counter, subject } = bench
    const limits = [limitOf(5, shortWindowMs), limitOf(10)]
    const { receipt } = await counter.take(subject, limits, 4)
    await sleep(shortWindowMs + marginMs)
    await counter.take(subject, limits, 1)
    await counter.giveBack(receipt, 4)
    assert.deepEqual((await used(bench, limits))[1], 1)
    assert.equal((await counter.take(subject, limits, 5)).taken, false)
  },

  'forgets on reset, and what was charged before gives nothing back': async (bench) => {
    const { counter, subject } = bench
    const limits = [limitOf(5)]
    const { receipt } = await counter.take(subject, limits, 4)
    await counter.reset(subject)
    assert.deepEqual(await used(bench, limits), [0])
    await counter.take(subject, limits, 3)
    await counter.giveBack(receipt, 4)
    assert.deepEqual(await used(bench, limits), [3])
  },
}

const cases: Record<string, Case> = { ...counting, ...windows, ...corrections }
