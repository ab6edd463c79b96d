// Another process on a store: does what each line of its input says and answers with one line of JSON.
import { createInterface } from 'node:readline'
import { contractRecord, putContract } from '../../../src/testing/contract-store-fixtures.js'
import { openStore, type StorePlace } from './open-store.js'

const { store, close } = await openStore(JSON.parse(process.argv[2] ?? '') as StorePlace)
const say = (answer: unknown): void => {
  process.stdout.write(`${JSON.stringify(answer ?? null)}\n`)
}

async function add(times: number): Promise<number> {
  let conflicts = 0
  for (let done = 0; done < times;) {
    const before = await store.findContract('shared', 'orders')
    if (before === undefined) throw new Error('expected a contract')
    const next = { ...before, version: before.version + 1, reason: String(Number(before.reason) + 1) }
    try {
      await store.commit([putContract(next, before.version)])
      done++
    } catch {
      conflicts++
    }
  }
  return conflicts
}

say('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const [command, id = '', value = ''] = line.split(' ')
  if (command === 'find') say(await store.findContract(id, 'orders'))
  if (command === 'add') say(await add(Number(id)))
  if (command === 'put') {
    const before = await store.findContract(id, 'orders')
    const version = before === undefined ? {} : { version: before.version + 1 }
    await store.commit([
      putContract(contractRecord(id, 'orders', { reason: value, ...version }), before?.version ?? null),
    ])
    say('done')
  }
}
await close()
