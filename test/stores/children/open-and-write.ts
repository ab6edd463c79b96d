// Opens a store under the umask that was named and writes once.
import { diskStore } from '../../../src/stores/disk.js'
import { known } from '../../../src/testing/contract-store-fixtures.js'

const [, , path = '', umask = ''] = process.argv
process.umask(Number.parseInt(umask, 8))
const store = diskStore({ path })
await store.commit(known('one'))
await store.close()
