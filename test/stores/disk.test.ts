import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
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
})
