import { z } from 'zod'
import type { ContractStore } from '../contracts/store.js'
import { checkOptions, hasFunctions } from '../runtime/check.js'
import { contain } from '../runtime/contain.js'
import { warn } from '../runtime/warn.js'
import { Watchers } from '../stores/watchers.js'
import { DiskPlace } from './disk-place.js'
import { memoryPlace } from './memory-place.js'
import { LocalReplica, type Replica } from './replica.js'
import type { ReplicaEvent } from './replica-events.js'
import { ReplicaState } from './replica-state.js'
import type { ContractSource } from './source.js'
import { storeOption } from './store-option.js'
import { StoreSource } from './store-source.js'
import { Synchronizer } from './synchronizer.js'

export interface ReplicateOptions {
  /** Where the contracts are: a feed, by `httpSource`, or a store that this process can reach itself. */
  readonly from: ContractSource | ContractStore
  /** A directory of this process alone, empty at first, or `'memory'`: then each start waits for the source. */
  readonly into: { readonly path: string } | 'memory'
  /**
   * How old, at most, what is decided on may be, counted from the source through all layers between; a second to a
   * year. Past it every request is a 503. So long a revoked contract may work on while the source is out of reach. No
   * default.
   */
  readonly maxAgeMs: number
  /** How often the source is asked, at the least. It answers sooner when something changes. @default 15000 */
  readonly everyMs?: number
  /**
   * What a process that starts decides on. `'flexible'`: what one before it has left in `into`, within `maxAgeMs`.
   * `'strict'`: nothing until the source has answered. @default 'flexible'
   */
  readonly start?: 'flexible' | 'strict'
  /** Where `from` is a store: how often it is read whole, whatever it tells of changes. @default 60000 */
  readonly scanEveryMs?: number
  /** Where `from` is a store: how long one call of it may take. @default 5000 */
  readonly timeoutMs?: number
  /** Is told what happens. Where there is none, what goes wrong is a warning of the process, once a minute. */
  readonly onEvent?: (event: ReplicaEvent) => void
}

const oneYearMs = 366 * 86_400_000

const optionsSchema = z.strictObject({
  from: z.union([z.custom<ContractSource>(hasFunctions('read', 'close')), storeOption], {
    error: 'expected httpSource(), or a contract store that can list what it holds',
  }),
  into: z.union([z.strictObject({ path: z.string().min(1) }), z.literal('memory')], {
    error: "expected { path } with a directory of this process alone, or 'memory'",
  }),
  maxAgeMs: z.int().min(1000).max(oneYearMs),
  everyMs: z.int().min(100).max(86_400_000).default(15_000),
  start: z.enum(['flexible', 'strict']).default('flexible'),
  scanEveryMs: z.int().min(1000).max(86_400_000).default(60_000),
  timeoutMs: z.int().min(1).max(600_000).default(5000),
  onEvent: z
    .custom<NonNullable<ReplicateOptions['onEvent']>>((value) => typeof value === 'function')
    .default(() => warnOf),
})

/**
 * Keeps a local copy of a distant contract store, for the day on which that is out of reach: requests are decided on
 * the copy alone, also right after a start with nothing else there, until it is older than `maxAgeMs`. Give each
 * process a directory of its own. A snapshot that is empty, drops more than a tenth of the records or has older ones
 * is not taken before `accept`.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`; `ERR_CLIENTELE_STORE` where the directory cannot be used
 */
export function replicate(options: ReplicateOptions): Replica {
  const { from, into, maxAgeMs, everyMs, start, onEvent, ...times } = checkOptions(
    'replicate()',
    optionsSchema,
    options,
  )
  const place = into === 'memory' ? memoryPlace() : new DiskPlace(into.path)
  if (place.discarded) contain(onEvent, { kind: 'discarded' } as const)
  const source = 'read' in from ? from : new StoreSource(from, times)
  const watchers = new Watchers()
  const synchronizer = new Synchronizer(source, new ReplicaState(place, watchers), { everyMs, onEvent })
  return new LocalReplica(synchronizer, watchers, { maxAgeMs, everyMs, start })
}

function warnOf(event: ReplicaEvent): void {
  if (event.kind === 'failed') warn(`A replica cannot be kept in step (${event.fault.reason ?? event.fault.code}).`)
  if (event.kind === 'held') warn('A replica holds back a snapshot until a person has looked at it: see ready().held.')
  if (event.kind === 'discarded')
    warn('What was left in the directory of a replica cannot be relied on; it is read anew.')
}
