import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { open } from 'lmdb'
import { z } from 'zod'
import { ClienteleFault } from '../decisions/faults.js'
import { checkOptions } from '../runtime/check.js'
import { wallClock, type Clock } from '../runtime/clock.js'
import { isSoundDataFile } from '../runtime/data-file.js'
import { makePrivate } from '../runtime/private-files.js'
import type { Moment } from './account.js'
import { checkCost, type Counter, type CounterLimit, type Reading, type Take } from './counter.js'
import { Receipt, spendReceipt } from './receipt.js'
import { diskKey, sweepSome, type Engine } from './disk-records.js'
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
  return new CounterOnDisk(openAt(path), clock)
}

function openAt(path: string): Engine {
  try {
    makePrivate(path, ['data.mdb', 'lock.mdb'])
    if (isSoundDataFile(join(path, 'data.mdb')))
      return open({ path, noSubdir: false, encoding: 'msgpack', noSync: true })
  } catch (cause) {
    const message = "diskCounter(): cannot open the directory given as path, or make it private; is it this user's own?"
    throw new ClienteleFault('ERR_CLIENTELE_COUNTER', message, { cause })
  }
  const remedy = 'move it away to count from nothing'
  throw new ClienteleFault(
    'ERR_CLIENTELE_COUNTER',
    `diskCounter(): data.mdb under path is damaged or cut off; ${remedy}`,
  )
}

class CounterOnDisk implements DiskCounter {
  readonly #engine: Engine
  readonly #clock: Clock
  #sweptTo = ''
  #closing: Promise<void> | undefined

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine
    this.#clock = clock
  }

  take(subject: string, limits: readonly CounterLimit[], cost: number): Take {
    checkCost(cost)
    const key = diskKey(subject)
    return this.#alone((now) => {
      const stored = this.#engine.get(key)
      const account = accountOf(stored, limits)
      const { layout } = account
      if (!account.hasRoom(layout, cost, now)) {
        return { taken: false, readings: account.read(layout, cost, now), receipt: undefined }
      }
      const marks = account.charge(layout, cost, now)
      const { id } = this.#put(key, storedFrom(account, stored ?? this.#opened(now)))
      const receipt = new Receipt<Charged>(this, { key, id, limits, marks, cost })
      return { taken: true, readings: account.read(layout, cost, now), receipt }
    })
  }

  peek(subject: string, limits: readonly CounterLimit[]): readonly Reading[] {
    return this.#guarded(() => {
      // The engine keeps one view per turn of the event loop; what another process has charged shows in a new one.
      this.#engine.resetReadTxn()
      const account = accountOf(this.#engine.get(diskKey(subject)), limits)
      return account.read(account.layout, 1, this.#now())
    })
  }

  giveBack(receipt: unknown, cost: number): void {
    checkCost(cost)
    const charged = spendReceipt<Charged>(this, receipt)
    if (charged === undefined) return
    this.#alone((now) => {
      const stored = this.#engine.get(charged.key)
      if (stored === undefined) return
      // Of what was forgotten nothing is given back; requests in flight are over all the same.
      const isOwn = ({ algorithm }: CounterLimit): boolean => stored.id === charged.id || algorithm === 'concurrent'
      const account = accountOf(stored, charged.limits.filter(isOwn))
      const marks = charged.marks.filter((_, index) => isOwn(charged.limits[index] as CounterLimit))
      account.giveBack(account.layout, marks, Math.min(cost, charged.cost), now)
      this.#put(charged.key, storedFrom(account, stored))
    })
  }

  reset(subject: string): void {
    const key = diskKey(subject)
    this.#alone(() => {
      const stored = this.#engine.get(key)
      const left = stored && withoutUsage(stored, randomUUID())
      if (left !== undefined) this.#put(key, left)
      else this.#engine.removeSync(key)
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#engine.close()
    return this.#closing
  }

  #put(key: string, stored: StoredAccount): StoredAccount {
    this.#engine.putSync(key, stored)
    return stored
  }

  #opened({ wallMs }: Moment): Pick<StoredAccount, 'id' | 'limits'> {
    this.#sweptTo = sweepSome(this.#engine, this.#sweptTo, wallMs)
    return { id: randomUUID(), limits: {} }
  }

  /** Under the lock of all processes: nobody else charges between the look and the charge. */
  #alone<T>(work: (now: Moment) => T): T {
    return this.#guarded(() => this.#engine.transactionSync(() => work(this.#now())))
  }

  /** One clock for all limits: no other is the same in every process, and after a restart. */
  #now(): Moment {
    const wallMs = this.#clock()
    if (!Number.isFinite(wallMs))
      throw new ClienteleFault('ERR_CLIENTELE_COUNTER', 'diskCounter(): the clock says nothing')
    return { monotonicMs: wallMs, wallMs }
  }

  #guarded<T>(work: () => T): T {
    if (this.#closing !== undefined) throw new ClienteleFault('ERR_CLIENTELE_COUNTER', 'diskCounter(): it is closed')
    try {
      return work()
    } catch (cause) {
      if (cause instanceof ClienteleFault) throw cause
      throw new ClienteleFault('ERR_CLIENTELE_COUNTER', 'the counter on disk failed', { cause })
    }
  }
}

interface Charged extends Pick<StoredAccount, 'id'> {
  readonly key: string
  readonly limits: readonly CounterLimit[]
  readonly marks: readonly number[]
  readonly cost: number
}
