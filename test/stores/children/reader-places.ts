// Takes as many places of readers as it is told to, each as a process that reads would, and waits to be killed.
import { open } from 'lmdb'

const [, , path = '', places = ''] = process.argv
const engine = open<Buffer, string>({ path, noSubdir: false, maxDbs: 2, encoding: 'binary', overlappingSync: false })
const records = engine.openDB<Buffer, string>({ name: 'records', encoding: 'binary' })
for (let place = 0; place < Number(places); place++) {
  // A view of its own each time, and each is held.
  engine.resetReadTxn()
  records.get('client/one', { transaction: engine.useReadTransaction() })
}
process.stdout.write('reading\n')
setInterval(() => undefined, 60_000)
