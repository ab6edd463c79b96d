import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

const metaBytes = 4096
const magic = 0xbeefc0de
/** Where they stand in each of the two meta pages at the beginning of an lmdb file. */
const offsets = { magic: 24, pageSize: 48, lastPage: 144, transaction: 152 }

/**
 * lmdb maps the file into memory and believes it: one that is something else, or was cut off, would end the process
 * with a signal where a fault belongs. Looks at the two meta pages and at the length, which costs no more than opening.
 */
export function isSoundDataFile(path: string): boolean {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { size } = fstatSync(descriptor)
    if (size === 0) return true
    const metas = metasOf(descriptor)
    const newest = newestOf(metas)
    return (
      fstatSync(descriptor).isFile() &&
      metas.every((meta) => meta.magic === magic) &&
      BigInt(size) >= (newest.lastPage + 1n) * BigInt(newest.pageSize)
    )
  } finally {
    closeSync(descriptor)
  }
}

/** The number of the last commit in the file: it grows with each. */
export function lastTransaction(path: string): number {
  const descriptor = openSync(path, constants.O_RDONLY)
  try {
    return Number(newestOf(metasOf(descriptor)).transaction)
  } finally {
    closeSync(descriptor)
  }
}

type Meta = ReturnType<typeof metaAt>

function metasOf(descriptor: number): readonly Meta[] {
  return [0, 1].map((page) => metaAt(descriptor, page * metaBytes))
}

function newestOf(metas: readonly Meta[]): Meta {
  return metas.reduce((one, other) => (one.transaction > other.transaction ? one : other))
}

function metaAt(descriptor: number, position: number) {
  const page = Buffer.alloc(metaBytes)
  readSync(descriptor, page, 0, metaBytes, position)
  return {
    magic: page.readUInt32LE(offsets.magic),
    pageSize: page.readUInt32LE(offsets.pageSize),
    lastPage: page.readBigUInt64LE(offsets.lastPage),
    transaction: page.readBigUInt64LE(offsets.transaction),
  }
}
