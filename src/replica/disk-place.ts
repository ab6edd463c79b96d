import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ClienteleFault } from '../decisions/faults.js'
import { lastTransaction } from '../runtime/data-file.js'
import { makePrivate } from '../runtime/private-files.js'
import { diskStore } from '../stores/disk.js'
import {
  claim,
  generationForm,
  hasProgress,
  isClaimed,
  isClaimedBy,
  isUnused,
  readProgress,
  writeProgress,
} from './kept-progress.js'
import type { Generation, LocalStore, Progress, ReplicaPlace } from './place.js'

interface DiskGeneration extends Generation {
  readonly name: string
}

/**
 * A directory with one disk store per generation, and a file that names the one in force. A snapshot of a million
 * records in one transaction would hold up the process for seconds; written beside, in small commits, it counts from
 * the moment the file names it, and what a crash leaves behind is a directory that nobody names.
 */
export class DiskPlace implements ReplicaPlace {
  readonly found: ReplicaPlace['found']
  readonly discarded: boolean
  readonly #directory: string
  readonly #writer = randomBytes(12).toString('hex')
  #current: DiskGeneration | undefined

  constructor(directory: string) {
    this.#directory = directory
    try {
      // First of all: what is in a directory of somebody else stays as it is.
      const wasUnused = requireOursOrUnused(directory)
      makePrivate(directory)
      claim(directory, this.#writer)
      this.found = this.#open()
      this.discarded = this.found === undefined && hasProgress(directory)
      if (!wasUnused) this.#tidy()
    } catch (error) {
      if (error instanceof ClienteleFault) throw error
      const message =
        "replicate(): cannot use the directory given as into.path, or make it private; is it this user's own?"
      throw new ClienteleFault('ERR_CLIENTELE_STORE', message, { cause: error })
    }
  }

  stage(): DiskGeneration {
    return this.#generation(`records-${randomBytes(12).toString('hex')}`)
  }

  save(generation: Generation, progress: Progress): void {
    this.requireOwn()
    this.#current = generation as DiskGeneration
    const { name } = this.#current
    const transaction = lastTransaction(this.#file(name))
    writeProgress(this.#directory, { ...progress, generation: name, transaction })
  }

  async close(): Promise<void> {
    await this.#current?.store.close()
  }

  /** What is there and cannot be relied on is no reason not to start: it is read from the source again. */
  #open(): ReplicaPlace['found'] {
    try {
      const kept = readProgress(this.#directory)
      // Less than was committed when the progress was written: somebody has put older records back.
      if (kept === undefined || lastTransaction(this.#file(kept.generation)) < kept.transaction) return undefined
      const generation = this.#generation(kept.generation)
      this.#current = generation
      return { generation, progress: kept }
    } catch {
      return undefined
    }
  }

  #generation(name: string): DiskGeneration {
    const path = join(this.#directory, name)
    const store = diskStore({ path }) as LocalStore
    const remove = async (): Promise<void> => {
      await store.close()
      rmSync(path, { recursive: true, force: true })
    }
    return { name, store, remove }
  }

  requireOwn(): void {
    if (isClaimedBy(this.#directory, this.#writer)) return
    const message = 'replicate(): another process keeps the directory into.path in step; give each process its own.'
    throw new ClienteleFault('ERR_CLIENTELE_STORE', message, { reason: 'second_writer' })
  }

  #tidy(): void {
    const inForce = this.#current?.name
    for (const entry of readdirSync(this.#directory, { withFileTypes: true })) {
      const isOurs = entry.isDirectory() && generationForm.test(entry.name)
      if (isOurs && entry.name !== inForce) rmSync(join(this.#directory, entry.name), { recursive: true, force: true })
    }
  }

  #file(generation: string): string {
    return join(this.#directory, generation, 'data.mdb')
  }
}

/** Whether it is unused. Asked in this order: another process may begin at the same moment. */
function requireOursOrUnused(directory: string): boolean {
  if (isUnused(directory)) return true
  if (isClaimed(directory)) return false
  const message =
    'replicate(): the directory given as into.path holds something, and no replica; give it an empty one, or a name in it.'
  throw new ClienteleFault('ERR_CLIENTELE_STORE', message, { reason: 'foreign_directory' })
}
