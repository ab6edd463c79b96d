import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Counter, CounterLimit } from '../../src/limits/counter.js'
import { memoryCounter } from '../../src/limits/memory-counter.js'
import { testCounter } from '../../src/testing/counter.js'

/** The titles of the published suite that a counter fails. */
async function failures(makeCounter: () => Counter): Promise<string[]> {
  const cases: { title: string; body: () => Promise<void> }[] = []
  testCounter('under test', makeCounter, {
    describe: (_name, body) => {
      body()
    },
    it: (title, body) => cases.push({ title, body }),
  })
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
      'forgets on reset, and what was charged before gives nothing back',
    ])
  })
})
