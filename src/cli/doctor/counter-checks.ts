import { randomUUID } from 'node:crypto'
import type { CounterLimit } from '../../limits/counter.js'
import { guardedPeek } from '../../limits/guarded-take.js'
import { countsInMemory } from '../../limits/memory-counter.js'
import type { Check, Patient } from './checks.js'

const timeoutMs = 5000
const limit: CounterLimit = { key: 'doctor', algorithm: 'fixed', requests: 1, windowMs: 1000 }

/** A look at the account of nobody: nothing is charged. A Redis that may throw keys away refuses it by itself. */
export function counterChecks({ counter }: Patient): readonly Check[] {
  if (counter === undefined) return []
  return [
    {
      name: 'the counter answers',
      run: async () => {
        const subject = `doctor ${randomUUID()}`
        await guardedPeek({ counter, counterTimeoutMs: timeoutMs }, subject, [limit])
        return undefined
      },
    },
    {
      name: 'all processes count together',
      run: () =>
        Promise.resolve(countsInMemory(counter) ? 'a memoryCounter(): each process admits the whole limit' : undefined),
    },
  ]
}
