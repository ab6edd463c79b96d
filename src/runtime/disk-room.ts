import { statfsSync } from 'node:fs'

/** Asked for before anything is written, beyond what is written: others write to the same disk. */
const spareBytes = 1024 ** 2
/** What one changed record may take at the most: pages of it, of its lists, and of all on the way to them. */
const bytesPerRecord = 16 * 1024

/**
 * Throws `ENOSPC` before lmdb would meet it. lmdb 3.5 writes its message about a page that it could not write past the
 * end of the memory for it, so a process that ran into a full disk might die of it a moment later.
 */
export function requireRoom(path: string, records: number): void {
  const { blocks, bavail, bsize } = statfsSync(path)
  // A file system that does not tell has nothing to be held to.
  if (blocks === 0 || bavail * bsize >= spareBytes + records * bytesPerRecord) return
  throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
}
