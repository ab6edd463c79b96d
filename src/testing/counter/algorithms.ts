import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { calendarWindow } from '../../limits/algorithms/calendar-window.js'
import {
  calendarLimit,
  concurrentLimit,
  gcraLimit,
  limitOf,
  marginMs,
  shortWindowMs,
  slidingLimit,
  takes,
  used,
  type AlgorithmCases,
} from './bench.js'

export const byAlgorithm: AlgorithmCases = {
  fixed: {},

  sliding: {
    'sliding: lets what was charged slide out, and not all at once': async (bench) => {
      const limits = [slidingLimit(10, 1000)]
      assert.equal(await takes(bench, limits, 10), true)
      await sleep(1000)
      const [reading] = await bench.counter.peek(bench.subject, limits)
      assert.ok(reading !== undefined && reading.used > 8 && reading.used <= 10, String(reading?.used))
      assert.equal(await takes(bench, limits, 5), false)
      await sleep(500 + marginMs)
      assert.equal(await takes(bench, limits, 5), true)
    },

    'sliding: gives back into the cell that was charged, also when it is the one before': async (bench) => {
      const limits = [slidingLimit(10, shortWindowMs)]
      const { receipt } = await bench.counter.take(bench.subject, limits, 6)
      await sleep(shortWindowMs)
      await bench.counter.take(bench.subject, limits, 1)
      await bench.counter.giveBack(receipt, 6)
      assert.deepEqual(await used(bench, limits), [1])
    },
  },

  gcra: {
    'gcra: lets a burst through at once, and the rest at the rate': async (bench) => {
      const limits = [gcraLimit(10, 1000, 3)]
      const startedAt = Date.now()
      let taken = 0
      while (Date.now() - startedAt < 450) {
        if (await takes(bench, limits)) taken += 1
        await sleep(5)
      }
      assert.ok(taken >= 6 && taken <= 3 + 5, `${taken} in 450 ms at 10 a second and a burst of 3`)
    },

    'gcra: says how long the same has to wait': async ({ counter, subject }) => {
      const limits = [gcraLimit(10, 1000, 4)]
      await counter.take(subject, limits, 4)
      const { taken, readings } = await counter.take(subject, limits, 2)
      assert.equal(taken, false)
      const waitMs = readings[0]?.waitMs ?? 0
      assert.ok(waitMs > 200 - marginMs && waitMs <= 200, String(waitMs))
      assert.equal((await counter.take(subject, limits, 5)).readings[0]?.waitMs, Infinity)
      await sleep(waitMs + marginMs)
      assert.equal((await counter.take(subject, limits, 2)).taken, true)
    },

    'gcra: gives back under any key': async (bench) => {
      const limits = [{ ...gcraLimit(1, 3_600_000, 10), key: 'burst' }]
      const { receipt } = await bench.counter.take(bench.subject, limits, 8)
      await bench.counter.giveBack(receipt, 4)
      assert.deepEqual((await used(bench, limits)).map(Math.round), [4])
    },

    'gcra: never gives back what others were charged': async ({ counter, subject }) => {
      const limits = [gcraLimit(10, 1000, 4)]
      const { receipt } = await counter.take(subject, limits, 2)
      await sleep(200 + marginMs)
      await counter.take(subject, limits, 4)
      await counter.giveBack(receipt, 2)
      assert.equal((await counter.take(subject, limits, 2)).taken, false)
    },
  },

  calendar: {
    'calendar: counts in the window that the clock of the zone shows': async ({ counter, subject }) => {
      for (const [unit, timeZone] of [
        ['month', 'UTC'],
        ['day', 'Asia/Kathmandu'],
      ] as const) {
        const limits = [calendarLimit(3, unit, timeZone)]
        const { readings } = await counter.take(subject, limits, 2)
        const { endMs } = calendarWindow(unit, timeZone, Date.now())
        const expected = endMs - Date.now()
        assert.ok(Math.abs((readings[0]?.resetMs ?? 0) - expected) < 5000, `${readings[0]?.resetMs} for ${expected}`)
        assert.equal((await counter.take(subject, limits, 2)).taken, false)
      }
    },
  },

  concurrent: {
    'concurrent: a place for each request, whatever it costs, until it is over': async ({ counter, subject }) => {
      const limits = [concurrentLimit(2), limitOf(100)]
      const [first, second] = [await counter.take(subject, limits, 7), await counter.take(subject, limits, 0)]
      const third = await counter.take(subject, limits, 1)
      assert.deepEqual([first.taken, second.taken, third.taken], [true, true, false])
      assert.ok((third.readings[0]?.waitMs ?? 0) >= 1)
      await counter.giveBack(first.receipt, 0)
      await counter.giveBack(first.receipt, 0)
      await counter.giveBack(third.receipt, 0)
      assert.deepEqual(
        (await counter.peek(subject, limits)).map((reading) => reading.used),
        [1, 7],
      )
    },

    'concurrent: takes the place of a request away that is too old': async ({ counter, subject }) => {
      const limits = [concurrentLimit(1, shortWindowMs)]
      const { receipt } = await counter.take(subject, limits, 1)
      assert.equal((await counter.take(subject, limits, 1)).taken, false)
      await sleep(shortWindowMs + marginMs)
      assert.equal((await counter.take(subject, limits, 1)).taken, true)
      await counter.giveBack(receipt, 1)
      assert.equal((await counter.take(subject, limits, 1)).taken, false)
    },

    'concurrent: a reset forgets what was used, and not what is going on': async ({ counter, subject }) => {
      const limits = [concurrentLimit(1), limitOf(100)]
      const { receipt } = await counter.take(subject, limits, 5)
      await counter.reset(subject)
      assert.deepEqual(
        (await counter.peek(subject, limits)).map((reading) => reading.used),
        [1, 0],
      )
      await counter.giveBack(receipt, 5)
      assert.equal((await counter.take(subject, limits, 1)).taken, true)
    },
  },
}

export const together: AlgorithmCases['fixed'] = {
  'charges limits of every algorithm all or none': async (bench) => {
    const day = [limitOf(10), slidingLimit(10, 60_000), gcraLimit(1, 60_000, 10), calendarLimit(10, 'month')]
    assert.equal(await takes(bench, [...day, concurrentLimit(5)], 4), true)
    for (const tight of [limitOf(7), slidingLimit(7, 60_000), gcraLimit(1, 60_000, 7), concurrentLimit(1)]) {
      const limits = [...day.filter(({ key }) => key !== tight.key), tight]
      assert.equal(await takes(bench, limits, 4), false)
    }
    const standing = await used(bench, [...day, concurrentLimit(5)])
    assert.deepEqual(standing.map(Math.round), [4, 4, 4, 4, 1])
  },
}
