import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { subjectOf } from '../../limits/subject.js'
import { limitOf, takes, used, type CounterCases } from './bench.js'

export const counting: CounterCases = {
  'counts up to the limit and reads what is left': async ({ counter, subject }) => {
    const limits = [limitOf(2)]
    const [before] = await counter.peek(subject, limits)
    assert.deepEqual(before, { used: 0, remaining: 2, resetMs: 0, waitMs: 0 })
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
    assert.equal(third.readings[0].waitMs, third.readings[0].resetMs)
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
