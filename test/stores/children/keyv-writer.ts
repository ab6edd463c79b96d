// Commits contracts to a Keyv on Redis one after the other, says so after each, and ends by being killed.
import { writeSync } from 'node:fs'
import KeyvRedis from '@keyv/redis'
import { Keyv } from 'keyv'
import { keyvStore } from '../../../src/stores/keyv.js'
import { contractRecord, known, putContract } from '../../../src/testing/contract-store-fixtures.js'

const [, , url = '', namespace = '', round = ''] = process.argv
const store = keyvStore(new Keyv({ store: new KeyvRedis(url), namespace }), { soleWriter: true })

for (let number = 0; ; number++) {
  const id = `r${round}-${String(number)}`
  await store.commit([...known(id), putContract(contractRecord(id, 'orders'))])
  writeSync(1, `${id}\n`)
}
