import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { diskStore } from '../../src/stores/disk.js'
import { testContractStore } from '../../src/testing/contract-store.js'

const root = mkdtempSync(join(tmpdir(), 'clientele-disk-'))
let made = 0

afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

const pathOf = (number: number): string => join(root, `store.${String(number)}`)

testContractStore('diskStore', () => diskStore({ path: pathOf(++made) }), {
  describe,
  it,
  openAgain: () => diskStore({ path: pathOf(made) }),
  openBeside: () => diskStore({ path: pathOf(made) }),
})

describe('diskStore on a file that is damaged', () => {
  const damage: Record<string, (file: string) => void> = {
    'something else': (file) => {
      writeFileSync(file, Buffer.alloc(20_480, 'x'))
    },
    'nothing but zeros': (file) => {
      writeFileSync(file, Buffer.alloc(20_480))
    },
    'cut off': (file) => {
      truncateSync(file, readFileSync(file).length - 4096)
    },
    'a few bytes': (file) => {
      truncateSync(file, 100)
    },
  }

  it.each(Object.keys(damage))('%s: a fault with a remedy, not a dead process', async (kind) => {
    const path = pathOf(++made)
    await diskStore({ path }).close()
    damage[kind]?.(join(path, 'data.mdb'))
    const fault = { code: 'ERR_CLIENTELE_STORE', message: expect.stringContaining('backup') as string }
    expect(() => diskStore({ path })).toThrow(expect.objectContaining(fault))
  })
})
