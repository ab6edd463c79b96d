import { z } from 'zod'
import type { Counter } from '../limits/counter.js'
import { hasFunctions } from '../runtime/check.js'

/** The option `counter` of whatever counts. */
export const counterOption = z.custom<Counter>(hasFunctions('take', 'peek', 'giveBack', 'reset'), {
  message: 'expected a counter: memoryCounter(), or an object with take, peek, giveBack and reset',
})

/** The option `whenCounterFails` of every policy that charges limits. */
export const whenCounterFailsOption = z.union(
  [
    z.enum(['refuse', 'admit']),
    z.strictObject({ localShare: z.strictObject({ processes: z.int().min(1).max(1_000_000) }) }),
  ],
  "expected 'refuse', 'admit' or { localShare: { processes } }: a whole number of processes, 1 or more",
)
