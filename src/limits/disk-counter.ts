import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { ClienteleFault } from '../decisions/faults.js'
import { checkOptions } from '../runtime/check.js'
import { wallClock, type Clock } from '../runtime/clock.js'
import { DiskEngine } from '../runtime/disk-engine.js'
import type { Moment } from './account.js'
import { checkCost, type Counter, type CounterLimit, type Reading, type Take } from './counter.js'
import { diskKey, sweepSome, type Accounts } from './disk-records.js'
import { Receipt, spendReceipt } from './receipt.js'
import { accountOf, storedFrom, withoutUsage, type StoredAccount } from './stored-account.js'

/** What `diskCounter` returns: a `Counter` whose answers are always at hand, and that has to be closed. */
export interface DiskCounter extends Counter {
  take(subject: string, limits: readonly CounterLimit[], cost: number): Take
  peek(subject: string, limits: readonly CounterLimit[]): readonly Reading[]
  giveBack(receipt: unknown, cost: number): void
  reset(subject: string): void
  close(): Promise<void>
}

export interface DiskCounterOptions {
  /** A directory of its own, made if it is not there: it and the files in it become readable by their owner alone. */
  readonly path: string
  /** Milliseconds since 1970, the same in all processes. @default the wall clock */
  readonly wallClock?: Clock
}

const optionsSchema = z.strictObject({
  path: z.string().min(1),
  wallClock: z.custom<Clock>((value) => typeof value === 'function', 'expected a function').default(() => wallClock),
})

/**
 * For limits that last: what is used outlives the process, and the processes of one machine that are given the same
 * directory count together, exactly. A killed process takes back nothing that was charged, and leaves charged at most
 * the one request that it was just being asked about; places of requests in flight are free when they are too old.
 *
 * A charge is with the operating system before it is answered, not on the disk, which would take a hundred times as
 * long: an orderly restart of the machine loses nothing, a power failure what was not written yet, some seconds as a
 * rule. Not for network file systems.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`, and `ERR_CLIENTELE_COUNTER` for a directory that cannot be used
 */
export function diskCounter(options: DiskCounterOptions): DiskCounter {
  const { path, wallClock: clock } = checkOptions('diskCounter()', optionsSchema, options)
  return new CounterOnDisk(engineAt(path), clock)
}

function engineAt(path: string): DiskEngine<Accounts> {
  return new DiskEngine({
    path,
    name: 'diskCounter()',
    code: 'ERR_CLIENTELE_COUNTER',
    remedy: 'move it away to count from nothing',
    options: { encoding: 'msgpack', noSync: true },
    tables: (root) => root as Accounts,
  })
}

class CounterOnDisk implements DiskCounter {
  readonly #engine: DiskEngine<Accounts>
  readonly #clock: Clock
  #sweptTo = ''

  constructor(engine: DiskEngine<Accounts>, clock: Clock) {
    this.#engine = engine
    this.#clock = clock
  }

  take(subject: string, limits: readonly CounterLimit[], cost: number): Take {
    checkCost(cost)
    const key = diskKey(subject)
    return this.#alone((accounts, now) => {
      const stored = accounts.get(key)
      const account = accountOf(stored, limits)
      const { layout } = account
      if (!account.hasRoom(layout, cost, now)) {
        return { taken: false, readings: account.read(layout, cost, now), receipt: undefined }
      }
      const marks = account.charge(layout, cost, now)
      const charged = storedFrom(account, stored ?? this.#begun(accounts, now))
      accounts.putSync(key, charged)
      const receipt = new Receipt<Charged>(this, { key, id: charged.id, limits, marks, cost })
      return { taken: true, readings: account.read(layout, cost, now), receipt }
    })
  }

  peek(subject: string, limits: readonly CounterLimit[]): readonly Reading[] {
    return this.#engine.read((accounts) => {
      const account = accountOf(accounts.get(diskKey(subject)), limits)
      return account.read(account.layout, 1, this.#now())
    })
  }

  giveBack(receipt: unknown, cost: number): void {
    checkCost(cost)
    const charged = spendReceipt<Charged>(this, receipt)
    if (charged === undefined) return
    this.#alone((accounts, now) => {
      const stored = accounts.get(charged.key)
      if (stored === undefined) return
      // Of what was forgotten nothing is given back; requests in flight are over all the same.
      const isOwn = ({ algorithm }: CounterLimit): boolean => stored.id === charged.id || algorithm === 'concurrent'
      const account = accountOf(stored, charged.limits.filter(isOwn))
      const marks = charged.marks.filter((_, index) => isOwn(charged.limits[index] as CounterLimit))
      account.giveBack(account.layout, marks, Math.min(cost, charged.cost), now)
      accounts.putSync(charged.key, storedFrom(account, stored))
    })
  }

  reset(subject: string): void {
    const key = diskKey(subject)
    this.#alone((accounts) => {
      const stored = accounts.get(key)
      const left = stored && withoutUsage(stored, randomUUID())
      if (left !== undefined) accounts.putSync(key, left)
      else accounts.removeSync(key)
    })
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  #begun(accounts: Accounts, { wallMs }: Moment): Pick<StoredAccount, 'id' | 'limits'> {
    this.#sweptTo = sweepSome(accounts, this.#sweptTo, wallMs)
    return { id: randomUUID(), limits: {} }
  }

  /** Nobody else charges between the look and the charge. */
  #alone<T>(work: (accounts: Accounts, now: Moment) => T): T {
    return this.#engine.change(1, (accounts) => work(accounts, this.#now()))
  }

  /** One clock for all limits: no other is the same in every process, and after a restart. */
  #now(): Moment {
    const wallMs = this.#clock()
    if (!Number.isFinite(wallMs))
      throw new ClienteleFault('ERR_CLIENTELE_COUNTER', 'diskCounter(): the clock says nothing')
    return { monotonicMs: wallMs, wallMs }
  }
}

interface Charged extends Pick<StoredAccount, 'id'> {
  readonly key: string
  readonly limits: readonly CounterLimit[]
  readonly marks: readonly number[]
  readonly cost: number
}
