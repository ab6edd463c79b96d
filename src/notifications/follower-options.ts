import { z } from 'zod'
import type { ContractStore } from '../contracts/store.js'
import { isContractStore } from '../contracts/is-store.js'
import { checkOptions, optionsFault } from '../runtime/check.js'
import type { FollowerEvent } from './follower-events.js'
import { warnOf } from './follower-events.js'

/** How a follower goes about it, whatever it delivers. */
export interface FollowerOptions {
  /** How often the store is looked at, at the least; it tells by itself where it can. 100 to 3,600,000. @default 5000 */
  readonly pollMs?: number
  /** How long one delivery may take. 100 to 600,000. @default 20000 */
  readonly timeoutMs?: number
  /**
   * How long a process at work may be silent before another one takes over. Longer than `timeoutMs` by a second at
   * least; 1000 to 3,600,000. @default 30000
   */
  readonly claimMs?: number
  /** How often a delivery is tried before it is given up: after 1 s, 2 s, 4 s and so on, at most an hour. @default 15 */
  readonly attempts?: number
  /** Is told what becomes of deliveries. Where there is none, what is given up is a warning of the process. */
  readonly onEvent?: (event: FollowerEvent) => void
}

export type CheckedFollowerOptions = Required<FollowerOptions>

export const followerShape = {
  pollMs: z.int().min(100).max(3_600_000).default(5000),
  timeoutMs: z.int().min(100).max(600_000).default(20_000),
  claimMs: z.int().min(1000).max(3_600_000).default(30_000),
  attempts: z.int().min(1).max(1000).default(15),
  onEvent: z
    .custom<NonNullable<FollowerOptions['onEvent']>>((value) => typeof value === 'function', 'expected a function')
    .default(() => warnOf),
}

const storeOption = z.custom<ContractStore>(isContractStore, {
  message: 'expected a contract store that can list what it holds',
})

/** What holds for all that follow: a whole store, and times that fit together. */
export function checkFollower<T extends Pick<CheckedFollowerOptions, 'claimMs' | 'timeoutMs'>>(
  where: string,
  schema: z.ZodType<T>,
  store: unknown,
  options: unknown,
): T {
  checkOptions(where, storeOption, store)
  const checked = checkOptions(where, schema, options)
  if (checked.claimMs >= checked.timeoutMs + 1000) return checked
  throw optionsFault(
    where,
    'claimMs: expected at least 1000 more than timeoutMs; a process would lose its claim in the middle of a delivery',
  )
}
