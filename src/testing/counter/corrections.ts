import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { limitOf, marginMs, shortWindowMs, used, type CounterCases } from './bench.js'

export const corrections: CounterCases = {
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

  'gives back under any key, also one that another algorithm might have': async (bench) => {
    const { counter, subject } = bench
    const limits = [{ ...limitOf(10), key: 'gcra' }]
    await counter.take(subject, limits, 3)
    await sleep(marginMs)
    const { receipt } = await counter.take(subject, limits, 4)
    await counter.giveBack(receipt, 4)
    assert.deepEqual(await used(bench, limits), [3])
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
