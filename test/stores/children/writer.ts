// Commits contracts one after the other, says so after each, and ends by being killed.
import { writeSync } from 'node:fs'
import { diskStore } from '../../../src/stores/disk.js'
import { contractRecord, known, putContract } from '../../../src/testing/contract-store-fixtures.js'

const [, , path = '', round = ''] = process.argv
const store = diskStore({ path })

for (let number = 0; ; number++) {
  const id = `r${round}-${String(number)}`
  await store.commit([...known(id), putContract(contractRecord(id, 'orders'))])
  writeSync(1, `${id}\n`)
}
