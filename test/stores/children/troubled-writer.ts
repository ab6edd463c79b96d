// Commits contracts one after the other on a disk that fails now and then, and says after each what stands there.
import { ClienteleFault } from '../../../src/decisions/faults.js'
import { diskStore } from '../../../src/stores/disk.js'
import { contractRecord, known, putContract } from '../../../src/testing/contract-store-fixtures.js'

const [, , path = '', commits = ''] = process.argv
const store = diskStore({ path })
const written: string[] = []

async function tried(work: () => unknown): Promise<unknown> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (!(error instanceof ClienteleFault)) return { name: String(error) }
    return { code: error.code, reason: error.reason, message: error.message }
  }
}

for (let number = 0; number < Number(commits); number++) {
  const id = `c${String(number)}`
  const reason = 'x'.repeat(500)
  const fault = await tried(() => store.commit([...known(id), putContract(contractRecord(id, 'orders', { reason }))]))
  if (fault === undefined) written.push(id)
  const unread = await tried(() => {
    const missing = written.filter((each) => store.findContract(each, 'orders') === undefined)
    if (missing.length > 0) throw new Error(`missing: ${missing.join()}`)
  })
  process.stdout.write(`${JSON.stringify({ id, fault, unread })}\n`)
}
await store.close()
