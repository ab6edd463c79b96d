// Edits clients of a store at random moments until its input ends, and says what it did when.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  changeTier,
  disableClient,
  enableClient,
  restoreContract,
  revokeContract,
  type ContractStore,
} from '../../../src/index.js'
import { openStore, type StorePlace } from './open-store.js'

/** What a caller sees of a state: status, and tier where there is one. */
export type Seen = '200 gold' | '200 silver' | '401' | '403'

export interface Edit {
  readonly client: string
  readonly seen: Seen
  readonly begunMs: number
  readonly endedMs: number
}

export interface Edited {
  readonly client: string
  /** One kind of record for each client: what is seen of it is one state after the other. */
  readonly record: 'contract' | 'client'
}

const [, , place = '', clients = ''] = process.argv
const actor = 'editor'
const { store, close } = await openStore(JSON.parse(place) as StorePlace)

type Step = readonly [Seen, (store: ContractStore, client: string) => Promise<unknown>]

const named = (client: string) => ({ client, api: 'orders', actor })
const steps: Readonly<Record<Edited['record'], readonly Step[]>> = {
  contract: [
    ['403', (on, client) => revokeContract(on, named(client))],
    ['200 gold', (on, client) => restoreContract(on, named(client))],
    ['200 silver', (on, client) => changeTier(on, { ...named(client), tier: 'silver' })],
    ['200 gold', (on, client) => changeTier(on, { ...named(client), tier: 'gold' })],
  ],
  client: [
    ['401', (on, client) => disableClient(on, { client, actor })],
    ['200 gold', (on, client) => enableClient(on, { client, actor })],
  ],
}

let over = false
process.stdin.resume().once('end', () => {
  over = true
})

async function edit({ client, record }: Edited): Promise<void> {
  for (let number = 0; !over; number++) {
    // Longer than the bound, so that nobody who has not noticed a change is right again by the next.
    await sleep(1500 + Math.random() * 2500)
    const [seen, change] = steps[record][number % steps[record].length] as Step
    const begunMs = Date.now()
    await change(store, client)
    const told: Edit = { client, seen, begunMs, endedMs: Date.now() }
    process.stdout.write(`${JSON.stringify(told)}\n`)
  }
}

await Promise.all((JSON.parse(clients) as Edited[]).map(edit))
await close()
