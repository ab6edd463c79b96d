import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { limitOf, marginMs, shortWindowMs, takes, used, type CounterCases } from './bench.js'

export const windows: CounterCases = {
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
