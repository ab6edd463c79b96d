// Commits contracts one after the other, notes each in a file when it is written, and ends by being killed.
import { openSync, writeSync } from 'node:fs'
import { diskStore } from '../../../src/stores/disk.js'
import { contractRecord, known, putContract } from '../../../src/testing/contract-store-fixtures.js'

const [, , path = '', notes = '', round = ''] = process.argv
const noted = openSync(notes, 'a')
writeSync(1, 'begun\n')
const store = diskStore({ path })

for (let number = 0; ; number++) {
  const id = `r${round}-${String(number)}`
  await store.commit([...known(id), putContract(contractRecord(id, 'orders'))])
  // What is written to a file stays, whoever is killed; a pipe that nobody reads in time would be full.
  writeSync(noted, `${id}\n`)
  if (number === 0) writeSync(1, 'writing\n')
}
