import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diskCounter } from 'clientele/disk'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { memoryCounter } from '../../src/limits/memory-counter.js'
import { anyStep, anyTier, exercise, type MakeCounter } from './exercise.js'

// Property 3 of the design: quota safety.
describe('a counter against an obvious counter gives the same answers for any algorithms, costs, tiers and interleaving', () => {
  const tiers = fc.tuple(anyTier, anyTier, anyTier)

  it('memoryCounter, whatever its clocks say', async () => {
    const make: MakeCounter = (clocks) =>
      memoryCounter({ clock: () => clocks.monotonicMs, wallClock: () => clocks.wallMs })
    await fc.assert(
      fc.asyncProperty(tiers, fc.array(anyStep, { maxLength: 60 }), (all, steps) => exercise(make, all, steps)),
      { numRuns: 3000 },
    )
  }, 120_000)

  it('diskCounter, on one clock for all', async () => {
    const path = mkdtempSync(join(tmpdir(), 'clientele-quota-'))
    const start = { wallMs: 0 }
    const counter = diskCounter({ path, wallClock: () => start.wallMs })
    let round = 0
    const make: MakeCounter = (clocks) => {
      // One directory for all rounds, each with subjects of its own.
      const own = `${String((round += 1))}:`
      Object.defineProperty(start, 'wallMs', { configurable: true, get: () => clocks.monotonicMs })
      return {
        take: (who, limits, cost) => counter.take(own + who, limits, cost),
        peek: (who, limits) => counter.peek(own + who, limits),
        giveBack: (receipt, cost) => {
          counter.giveBack(receipt, cost)
        },
        reset: (who) => {
          counter.reset(own + who)
        },
      }
    }
    // A clock that is set is a matter of its own.
    const even = anyStep.filter(({ kind }) => kind !== 'set wall' && kind !== 'monotonic back')
    // Ten seconds before a minute and an hour end.
    const nowMs = Date.parse('2026-03-29T00:59:50Z')
    await fc.assert(
      fc.asyncProperty(tiers, fc.array(even, { maxLength: 40 }), (all, steps) =>
        exercise(make, all, steps, { monotonicMs: nowMs, wallMs: nowMs }),
      ),
      { numRuns: 150 },
    )
    await counter.close()
    rmSync(path, { recursive: true, force: true })
  }, 120_000)
})
