import { constants } from 'node:os'

/** What went wrong on a disk, in a word, and what to do about it. */
export interface DiskTrouble {
  readonly reason: 'disk_full' | 'disk_failed' | 'no_memory' | 'readers_full'
  readonly remedy: string
}

const { errno } = constants
/** Numbers of the engine's own, beside those of the system. */
const mapFull = -30_792
const readersFull = -30_790

const diskFull: DiskTrouble = {
  reason: 'disk_full',
  remedy: 'the disk is full; make room: until then nothing is written, and reads go on',
}
const diskFailed: DiskTrouble = {
  reason: 'disk_failed',
  remedy: "the disk does not take what is written; look at the machine's log, and read again what was being written",
}
const noMemory: DiskTrouble = {
  reason: 'no_memory',
  remedy: 'the process has no memory or address space left for it; allow it more',
}
const noReaders: DiskTrouble = {
  reason: 'readers_full',
  remedy: 'too many processes have it open at the same time; end some of them',
}

const troubles: ReadonlyMap<unknown, DiskTrouble> = new Map<unknown, DiskTrouble>([
  ['ENOSPC', diskFull],
  ['EDQUOT', diskFull],
  ['EFBIG', diskFull],
  ['EIO', diskFailed],
  ['EROFS', diskFailed],
  ['ENOMEM', noMemory],
  [mapFull, noMemory],
  [readersFull, noReaders],
])

/** The engine tells the number of an error, Node the name. */
export function diskTrouble(error: unknown): DiskTrouble | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return troubles.get(code) ?? troubles.get(nameOf(code))
}

/** What is kept of an error of the engine: it tells numbers, of which no fault keeps anything. */
export function namedCause(error: unknown): unknown {
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown }
  return typeof code === 'number' ? { name, code: nameOf(code) } : error
}

function nameOf(code: unknown): string | undefined {
  return Object.entries(errno).find(([, number]) => number === code)?.[0]
}

/** After a page of the roots could not be written the engine does nothing more, until it is opened anew. */
export function hasGivenUp(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown }
  return code === errno.EINVAL || (typeof message === 'string' && message.includes('MDB_PANIC'))
}
