import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  linkSync,
  mkdirSync,
  openSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

const ownerOnlyDirectory = 0o700
const ownerOnlyFile = 0o600
/** What a new database takes at once, and some more. */
const roomBytes = 65_536
/** As much as lmdb asks for with its usual number of readers, in whole pages. */
const lockBytes = 12_288

/**
 * The files of an lmdb directory, for their owner alone, and with room on the disk for what lmdb writes into them when
 * it opens them: where there is none it would end the process with a signal.
 */
export function reserveFiles(directory: string): void {
  makePrivate(directory)
  const [data, lock] = ['data.mdb', 'lock.mdb'].map((name) => join(directory, name)) as [string, string]
  if (isEmpty(data) || isEmpty(lock)) reserve(join(directory, `new.${randomUUID()}`), lock)
  // A database that opens its files itself would make them 0664 less the umask.
  for (const file of [data, lock]) makeFilePrivate(file)
}

/** The directory, whatever the umask; wider modes are taken back where it stands already. */
export function makePrivate(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: ownerOnlyDirectory })
  chmodSync(directory, ownerOnlyDirectory)
}

/** lmdb writes to its lock file through memory. It is there as a whole or not at all, also where two processes begin. */
function reserve(draft: string, lock: string): void {
  try {
    writeFileSync(draft, Buffer.alloc(roomBytes), { flag: 'wx', mode: ownerOnlyFile })
    truncateSync(draft, lockBytes)
    if (isEmpty(lock)) linkSync(draft, lock)
  } catch (error) {
    // Another process was faster, or the file system knows no links: then lmdb makes the file itself.
    if (!['EEXIST', 'EPERM', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    remove(draft)
  }
}

function makeFilePrivate(file: string): void {
  // No symbolic link is followed: it could point at a file that others read.
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW
  const descriptor = openSync(file, flags, ownerOnlyFile)
  try {
    fchmodSync(descriptor, ownerOnlyFile)
  } finally {
    closeSync(descriptor)
  }
}

/** Or not there. */
function isEmpty(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0
}

function remove(file: string): void {
  try {
    unlinkSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
