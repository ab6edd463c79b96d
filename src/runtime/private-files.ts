import { chmodSync, closeSync, constants, fchmodSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'

const ownerOnlyDirectory = 0o700
const ownerOnlyFile = 0o600

/**
 * For files with hashes of secrets in them: makes the directory and the files for their owner alone, whatever
 * the umask, and takes wider modes back where they stand already. A database that opens its files itself would
 * make them 0664 less the umask, so they have to be there before it does.
 */
export function makePrivate(directory: string, files: readonly string[]): void {
  mkdirSync(directory, { recursive: true, mode: ownerOnlyDirectory })
  chmodSync(directory, ownerOnlyDirectory)
  for (const file of files) {
    // No symbolic link is followed: it could point at a file that others read.
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW
    const descriptor = openSync(join(directory, file), flags, ownerOnlyFile)
    try {
      fchmodSync(descriptor, ownerOnlyFile)
    } finally {
      closeSync(descriptor)
    }
  }
}
