import { z } from 'zod'
import type { AuditEntry } from '../contracts/model.js'
import { id } from '../contracts/schema-words.js'
import type { ContractStore } from '../contracts/store.js'
import type { Shape } from '../contracts/schema-shape.js'
import { checkFollower, followerShape, type CheckedFollowerOptions, type FollowerOptions } from './follower-options.js'
import { newFollower } from '../contracts/new-follower.js'
import { FollowerRun, type Followed } from './follower-run.js'
import { headOf } from './log-reader.js'
import { onLogChange } from './log-change.js'

export interface FollowLifecycleOptions extends FollowerOptions {
  /** Under which the store keeps how far this has come. One per purpose, the same in each process. */
  readonly name: string
  /** Where one that the store does not know yet begins: with what comes, or with the first step ever. @default 'now' */
  readonly from?: 'now' | 'start'
  /** Which entries are delivered. @default all */
  readonly wants?: (entry: AuditEntry) => boolean
  /** Passes an entry on. Resolves when that is certain; a rejection is tried again, as a `DeliveryFailure` says. */
  readonly deliver: (entry: AuditEntry, signal: AbortSignal) => Promise<unknown>
}

/** Somebody who is told of each step, until he is closed. Keeps no process alive. */
export interface LifecycleFollower {
  /** Resolves when the store knows where it begins: no later step goes by. */
  ready(): Promise<void>
  /** Resolves when the delivery under way is over. Another process goes on from there. */
  close(): Promise<void>
}

const isFunction = (value: unknown): boolean => typeof value === 'function'

const optionsSchema = z.strictObject({
  ...followerShape,
  name: id,
  from: z.enum(['now', 'start']).default('now'),
  wants: z.custom<NonNullable<FollowLifecycleOptions['wants']>>(isFunction, 'expected a function').default(() => all),
  deliver: z.custom<FollowLifecycleOptions['deliver']>(isFunction, 'expected a function that returns a promise'),
} satisfies Shape<FollowLifecycleOptions>)

function all(): boolean {
  return true
}

/**
 * For whatever has to hear of each step of the lifecycle, whichever process made it: reads the audit log in its order
 * and hands on each entry at least once, also those of the time when nobody was listening. One process delivers at a
 * time. An entry comes twice where a process was killed, or lost its claim, between a delivery and its mark in the
 * store.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function followLifecycle(store: ContractStore, options: FollowLifecycleOptions): LifecycleFollower {
  const { name, from, wants, deliver, ...rest } = checkFollower('followLifecycle()', optionsSchema, store, options)
  const begin = from === 'start' ? () => Promise.resolve('0'.repeat(12)) : () => headOf(store)
  const first = async () => newFollower(name, await begin())
  return follow(store, [{ name, first, wants, deliver }], rest)
}

/** Several at once that begin and end together. */
export function follow(
  store: ContractStore,
  all: readonly Followed[],
  options: CheckedFollowerOptions,
): LifecycleFollower {
  const runs = all.map((each) => new FollowerRun(store, each, options))
  const stop = onLogChange(store, () => {
    for (const run of runs) run.wake()
  })
  return {
    ready: async () => {
      await Promise.all(runs.map((run) => run.ready))
    },
    close: async () => {
      stop()
      await Promise.all(runs.map((run) => run.close()))
    },
  }
}
