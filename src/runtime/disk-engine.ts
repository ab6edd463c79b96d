import { join } from 'node:path'
import { open, type RootDatabase, type RootDatabaseOptions } from 'lmdb'
import { ClienteleFault, type FaultCode } from '../decisions/faults.js'
import { isSoundDataFile } from './data-file.js'
import { diskTrouble, hasGivenUp, namedCause } from './disk-trouble.js'
import { requireRoom } from './disk-room.js'
import { reserveFiles } from './private-files.js'

export interface DiskEngineSettings<Tables> {
  readonly path: string
  /** How its faults begin: `diskStore()`. */
  readonly name: string
  readonly code: Extract<FaultCode, 'ERR_CLIENTELE_STORE' | 'ERR_CLIENTELE_COUNTER'>
  /** What to do about a file that is damaged. */
  readonly remedy: string
  readonly options: RootDatabaseOptions
  tables(root: RootDatabase): Tables
}

/**
 * Address space, not memory: more than millions of records need. lmdb would begin with an eighth of a megabyte and map
 * the file anew whenever it has grown past that; where the system refuses, the process would end with a signal.
 */
const mapSize = 4 * 1024 ** 3

interface Opened<Tables> {
  readonly root: RootDatabase
  readonly tables: Tables
}

/** How many changes may go by until the places of killed processes are looked for. Looking takes microseconds. */
const changesPerReaderCheck = 64

/**
 * An lmdb directory, and what lmdb leaves to its user: files for their owner alone, a look at them before they are
 * mapped, places of killed readers, faults that name the trouble, and opening anew after a write that has broken it.
 */
export class DiskEngine<Tables> {
  readonly #settings: DiskEngineSettings<Tables>
  #opened: Opened<Tables> | undefined
  #changes = 0
  #closing: Promise<void> | undefined

  /** @throws ClienteleFault with the code of the settings */
  constructor(settings: DiskEngineSettings<Tables>) {
    this.#settings = settings
    this.#opened = openWith(settings)
  }

  /** Reads what any process has committed by now. */
  read<T>(work: (tables: Tables) => T): T {
    return this.#use(({ root, tables }) => {
      // lmdb keeps one view per turn of the event loop; an edit by another process shows in a new one only.
      root.resetReadTxn()
      return work(tables)
    })
  }

  /** Of so many records, under the lock of all processes; rolled back by a throw. */
  change<T>(records: number, work: (tables: Tables) => T): T {
    return this.#use(({ root, tables }) => {
      requireRoom(this.#settings.path, records)
      // A process that was killed while it read would keep every page from being used again, and its place.
      if (this.#changes++ % changesPerReaderCheck === 0) root.readerCheck()
      return root.transactionSync(() => work(tables))
    })
  }

  /** Grows with each change, whoever makes it. */
  revision(): number {
    return this.#use(({ root }) => (root.getStats() as { readonly lastTxnId: number }).lastTxnId)
  }

  close(): Promise<void> {
    this.#closing ??= this.#opened?.root.close() ?? Promise.resolve()
    return this.#closing
  }

  #use<T>(work: (opened: Opened<Tables>) => T): T {
    const { name, code } = this.#settings
    if (this.#closing !== undefined) throw new ClienteleFault(code, `${name}: it is closed`)
    try {
      return this.#openedAnew(work)
    } catch (error) {
      if (error instanceof ClienteleFault && (error.code === code || error.code === 'ERR_CLIENTELE_CONFLICT'))
        throw error
      throw faultOf(this.#settings, error, 'it failed')
    }
  }

  /** Once, where the engine has given up. If that does not help, it is left closed, lest it keep others from it. */
  #openedAnew<T>(work: (opened: Opened<Tables>) => T): T {
    try {
      return work((this.#opened ??= openWith(this.#settings)))
    } catch (error) {
      if (!hasGivenUp(error)) throw error
      this.#leave()
    }
    try {
      return work((this.#opened = openWith(this.#settings)))
    } catch (error) {
      if (hasGivenUp(error)) this.#leave()
      throw error
    }
  }

  #leave(): void {
    void this.#opened?.root.close()
    this.#opened = undefined
  }
}

function openWith<Tables>(settings: DiskEngineSettings<Tables>): Opened<Tables> {
  const { path, options, name, code, remedy } = settings
  try {
    reserveFiles(path)
    if (isSoundDataFile(join(path, 'data.mdb'))) {
      const root = open({ path, noSubdir: false, mapSize, ...options })
      return { root, tables: settings.tables(root) }
    }
  } catch (error) {
    const unknown = "cannot open the directory given as path, or make it private; is it this user's own?"
    throw faultOf(settings, error, unknown)
  }
  throw new ClienteleFault(code, `${name}: data.mdb under path is damaged or cut off; ${remedy}`)
}

type Named = Pick<DiskEngineSettings<unknown>, 'name' | 'code'>

function faultOf({ name, code }: Named, error: unknown, otherwise: string): ClienteleFault {
  const { reason, remedy = otherwise } = diskTrouble(error) ?? {}
  return new ClienteleFault(code, `${name}: ${remedy}`, { reason, cause: namedCause(error) })
}
