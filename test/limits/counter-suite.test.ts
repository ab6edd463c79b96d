import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { limitAlgorithms } from '../../src/decisions/limit.js'
import type { Counter, CounterLimit } from '../../src/limits/counter.js'
import { memoryCounter } from '../../src/limits/memory-counter.js'
import { testCounter, type CounterSuiteOptions } from '../../src/testing/counter.js'
import type { SuiteRunner } from '../../src/testing/runner.js'

/** The titles of the published suite that a counter fails. */
async function failures(makeCounter: () => Counter, options?: CounterSuiteOptions): Promise<string[]> {
  const cases: { title: string; body: () => Promise<void> }[] = []
  const runner: SuiteRunner = {
    describe: (_name, body) => {
      body()
    },
    it: (title, body) => cases.push({ title, body }),
  }
  testCounter('under test', makeCounter, runner, options)
  const results = await Promise.allSettled(cases.map(({ body }) => body()))
  return cases.filter((_, index) => results[index]?.status === 'rejected').map(({ title }) => title)
}

/** `change` is laid over a memory counter: one thing is wrong with it. */
function wrong(change: (counter: Counter) => Partial<Counter>): () => Counter {
  return () => {
    const counter = memoryCounter()
    return {
      take: (...parameters) => counter.take(...parameters),
      peek: (...parameters) => counter.peek(...parameters),
      giveBack: (...parameters) => counter.giveBack(...parameters),
      reset: (...parameters) => counter.reset(...parameters),
      ...change(counter),
    }
  }
}

const renamed = (limits: readonly CounterLimit[], rename: (limit: CounterLimit) => string): CounterLimit[] =>
  limits.map((limit) => ({ ...limit, key: rename(limit) }))

describe('the published suite for counters', () => {
  it('passes a counter that is right, near or far', async () => {
    expect(await failures(() => memoryCounter())).toEqual([])
    const far = wrong((counter) => ({
      take: async (...parameters) => {
        await turn()
        return counter.take(...parameters)
      },
    }))
    expect(await failures(far)).toEqual([])
  })

  it('catches a look before the charge', async () => {
    const racing = wrong((counter) => ({
      take: async (subject, limits, cost) => {
        const room = (await counter.peek(subject, limits)).every(({ remaining }) => remaining >= cost)
        await turn()
        const generous = limits.map((limit) => ({ ...limit, requests: 1e9 }))
        return room
          ? { ...(await counter.take(subject, generous, cost)), taken: true }
          : counter.take(subject, limits, cost)
      },
    }))
    expect(await failures(racing)).toContain('admits exactly 50 of 1000 concurrent takes at a limit of 50')
  })

  it('catches a charge per limit', async () => {
    const oneByOne = wrong((counter) => ({
      take: async (subject, limits, cost) => {
        const takes = []
        for (const limit of limits) takes.push(await counter.take(subject, [limit], cost))
        return {
          taken: takes.every(({ taken }) => taken),
          readings: takes.flatMap(({ readings }) => readings),
          receipt: takes[0]?.receipt,
        }
      },
    }))
    expect(await failures(oneByOne)).toContain('charges several limits all or none')
  })

  it('catches subjects that run together', async () => {
    const joined = wrong((counter) => ({
      take: (subject, limits, cost) => counter.take(subject.replaceAll(':', ''), limits, cost),
    }))
    expect(await failures(joined)).toContain('keeps the keys (a, bc) and (ab, c) apart')
  })

  it('catches windows that belong to a tier', async () => {
    const byCeiling = wrong((counter) => ({
      take: (subject, limits, cost) =>
        counter.take(
          subject,
          renamed(limits, (limit) => `${limit.key}:${limit.requests}`),
          cost,
        ),
      peek: (subject, limits) =>
        counter.peek(
          subject,
          renamed(limits, (limit) => `${limit.key}:${limit.requests}`),
        ),
    }))
    expect(await failures(byCeiling)).toEqual([
      'binds a lowered limit at once, until what is used fits',
      'keeps the charge when the tier changes',
      'charges limits of every algorithm all or none',
    ])
  })

  it('catches windows that never turn', async () => {
    const standing = () => memoryCounter({ clock: () => 1 })
    expect(await failures(standing)).toContain('turns a window, each limit by itself')
  })

  it('catches corrections that go too far', async () => {
    const generous = wrong((counter) => ({
      take: async (subject, limits, cost) => {
        const take = await counter.take(subject, limits, cost)
        return { ...take, receipt: { subject, limits } }
      },
      giveBack: async (receipt) => {
        await counter.reset((receipt as { subject: string }).subject)
      },
    }))
    expect(await failures(generous)).toEqual([
      'gives back once per receipt, and never more than was charged',
      'refuses to give back what is no amount',
      'gives nothing back for a refused take',
      'gives back into the window that was charged, and not into the next',
      'gives back under any key, also one that another algorithm might have',
      'forgets on reset, and what was charged before gives nothing back',
      'sliding: gives back into the cell that was charged, also when it is the one before',
      'gcra: gives back under any key',
      'gcra: never gives back what others were charged',
      'concurrent: a place for each request, whatever it costs, until it is over',
      'concurrent: a reset forgets what was used, and not what is going on',
    ])
  })

  it('catches a counter that tells an algorithm by the key of its limit', async () => {
    const byKey = wrong((counter) => ({
      take: async (subject, limits, cost) => {
        const take = await counter.take(subject, limits, cost)
        const isOwn = limits.every(({ key, algorithm }) => key.startsWith('gcra') === (algorithm === 'gcra'))
        return isOwn ? take : { ...take, receipt: undefined }
      },
    }))
    expect(await failures(byKey)).toEqual([
      'gives back under any key, also one that another algorithm might have',
      'gcra: gives back under any key',
    ])
  })

  it.each(limitAlgorithms.slice(1))(
    'catches a counter that counts %s like fixed, unless it says so',
    async (algorithm) => {
      const asFixed = (limit: CounterLimit): CounterLimit => {
        if (limit.algorithm !== algorithm) return limit
        const { key, requests } = limit
        return { key, requests, algorithm: 'fixed', windowMs: 'windowMs' in limit ? limit.windowMs : 1000 }
      }
      const simple = wrong((counter) => ({
        take: (subject, limits, cost) => counter.take(subject, limits.map(asFixed), cost),
        peek: (subject, limits) => counter.peek(subject, limits.map(asFixed)),
      }))
      expect((await failures(simple)).some((title) => title.startsWith(`${algorithm}: `))).toBe(true)
      const others = limitAlgorithms.filter((each) => each !== algorithm)
      expect(await failures(simple, { algorithms: others })).toEqual([])
    },
  )
})
