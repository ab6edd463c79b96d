import { z } from 'zod'
import { isContractStore } from '../contracts/is-store.js'
import type { ContractReader, ContractStore } from '../contracts/store.js'
import { checkOptions, hasFunctions, optionsFault } from '../runtime/check.js'
import { CachedContractStore, CachedReader } from './cached/cached-store.js'
import { Hints } from './cached/hints.js'

export interface CachedStoreOptions {
  /**
   * How long an answer is taken without asking again. Where the store cannot tell of changes, this is how long a
   * revoked contract works on. @default 5000
   */
  readonly freshForMs?: number
  /** How old an answer may become while the store fails; then it is a 503. @default 3600000 */
  readonly staleForMs?: number
  /** How many clients, how many contracts and how many tiers are kept. @default 100000 */
  readonly maxEntries?: number
  /** How long "no such thing" is taken without asking again; never longer than `freshForMs`. @default 1000 */
  readonly unknownForMs?: number
  /** How many unknown clients, contracts and tiers are remembered as such. @default 10000 */
  readonly maxUnknown?: number
  /** Look-ups of clients that are not known yet, per second; above that they get a 503. @default 500 */
  readonly missesPerSecond?: number
  /** How long a look-up may take; then it has failed. @default 1000 */
  readonly timeoutMs?: number
}

const milliseconds = z
  .int()
  .min(1)
  .max(366 * 86_400_000)
const count = z.int().min(1).max(10_000_000)

const optionsSchema = z
  .strictObject({
    freshForMs: milliseconds.default(5000),
    staleForMs: milliseconds.default(3_600_000),
    maxEntries: count.default(100_000),
    unknownForMs: z.int().min(0).default(1000),
    maxUnknown: count.default(10_000),
    missesPerSecond: count.default(500),
    timeoutMs: milliseconds.default(1000),
  })
  .refine(({ freshForMs, staleForMs }) => staleForMs >= freshForMs, {
    path: ['staleForMs'],
    error: 'expected no less than freshForMs',
  })

/**
 * For a store across a network: what policies ask is answered from memory, at once and also while the store is down.
 * Puts off a revocation by `freshForMs` at most (and a second more while the next answer is on its way), or not at
 * all where the store can be watched; while the store fails, by `staleForMs`. Never takes a failure for "no such
 * thing", and never goes back to an older version of a record than it has seen.
 *
 * `commit`, `find` and `list` go to the store itself, and so does `close`.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function cachedStore(store: ContractStore, options?: CachedStoreOptions): ContractStore
export function cachedStore(store: ContractReader, options?: CachedStoreOptions): ContractReader
export function cachedStore(store: ContractReader, options: CachedStoreOptions = {}): ContractReader {
  const checked = checkOptions('cachedStore()', optionsSchema, options)
  const settings = { ...checked, unknownForMs: Math.min(checked.unknownForMs, checked.freshForMs) }
  if (!isReader(store)) {
    throw optionsFault('cachedStore()', 'expected a contract store: an object with findClient, findContract, findTier')
  }
  return isContractStore(store)
    ? new CachedContractStore(store, settings)
    : new CachedReader(store, new Hints(), settings)
}

const isReader = hasFunctions('findClient', 'findContract', 'findTier')
