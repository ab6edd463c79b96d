import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineTier, registerClient, requestContract, type ContractStore } from 'clientele'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer } from '../support/call.js'
import type { Edit, Edited, Seen } from './children/editor.js'
import { startChild, type Child } from '../support/child-process.js'
import { ServerProcess, type Credentials } from './server-process.js'
import { editedPlace } from './store-places.js'

const api = 'orders'
const actor = 'test'
const boundMs = 1000
const enoughEdits = 20

interface Registered extends Credentials {
  readonly id: string
}

interface Look {
  readonly seen: string
  readonly sentMs: number
  readonly receivedMs: number
}

const nobody: Credentials = { clientId: 'nobody', clientSecret: 'x' }

async function addClient(store: ContractStore): Promise<Registered> {
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'app', actor })
  await requestContract(store, { client: client.id, api, tier: 'gold', actor })
  return { id: client.id, clientId, clientSecret }
}

function textOf({ status, json }: Answer, id: string): string {
  if (status !== 200) return String(status)
  const { client, tier } = json as { readonly client: string; readonly tier: string }
  return client === id ? `200 ${tier}` : '200 for somebody else'
}

/** How long the machine lets a process wait that has something to do. */
function watchForStops(): () => number {
  let [last, longestMs] = [performance.now(), 0]
  const timer = setInterval(() => {
    const now = performance.now()
    longestMs = Math.max(longestMs, now - last - 10)
    last = now
  }, 10)
  return () => {
    clearInterval(timer)
    return longestMs
  }
}

/**
 * What one who asks one server again and again may have seen: states in their order, none before it was begun, none
 * longer than the bound after it was replaced, and never an earlier one after a later.
 */
function wrongLooks(looks: readonly Look[], states: readonly Edit[], patienceMs: number): Look[] {
  let at = 0
  return looks.filter(({ seen, sentMs, receivedMs }) => {
    const found = states.findIndex((state, index) => {
      const replacedMs = states[index + 1]?.endedMs ?? Infinity
      return index >= at && state.seen === seen && state.begunMs <= receivedMs && replacedMs + patienceMs >= sentMs
    })
    if (found === -1) return true
    at = found
    return false
  })
}

describe('four servers and a fifth process that edits, on one disk path', () => {
  let opened: Awaited<ReturnType<typeof editedPlace>>
  let servers: ServerProcess[] = []
  let editor: Child | undefined

  beforeAll(async () => {
    opened = await editedPlace('disk')
    const limits = [{ requests: 1_000_000, windowSeconds: 60 }]
    for (const name of ['gold', 'silver'])
      await defineTier(opened.store, { api, name, approval: 'automatic', limits, actor })
    // So long that only a change that was noticed can have brought what is seen within the bound; one asks each time.
    const told = { cache: { freshForMs: 600_000 } }
    const settings = [told, told, told, {}]
    servers = await Promise.all(settings.map((each) => ServerProcess.start(opened.place, each)))
  }, 60_000)
  afterAll(async () => {
    editor?.kill('SIGKILL')
    await Promise.all(servers.map((server) => server.kill()))
    await opened.close()
    await opened.remove()
  })

  async function ask(server: ServerProcess, as: Credentials, id: string, isOver: () => boolean): Promise<Look[]> {
    const looks: Look[] = []
    while (!isOver()) {
      const sentMs = Date.now()
      const seen = textOf(await server.get(as), id)
      looks.push({ seen, sentMs, receivedMs: Date.now() })
      await sleep(20)
    }
    return looks
  }

  /** Begins to edit; what is told of each edit is added to the list. */
  async function startEditing(clients: readonly Edited[]) {
    const edits: Edit[] = []
    const script = new URL('children/editor.ts', import.meta.url)
    const child = await startChild(script, JSON.stringify(opened.place), JSON.stringify(clients))
    editor = child
    createInterface({ input: child.stdout }).on('line', (line) => edits.push(JSON.parse(line) as Edit))
    const end = (): Promise<unknown> => {
      child.stdin.end()
      return once(child, 'close')
    }
    return { edits, end }
  }

  it('no answer is wrong, and each change is seen by all within a second', { timeout: 120_000 }, async () => {
    const clients = await Promise.all(Array.from({ length: 6 }, () => addClient(opened.store)))
    const edited = clients.map(({ id }, index) => ({ client: id, record: index < 4 ? 'contract' : 'client' }) as const)
    const { edits, end } = await startEditing(edited)
    const longestStopMs = watchForStops()
    const isOver = (): boolean => edits.length >= enoughEdits
    const looked = await Promise.all(
      servers.flatMap((server) => [
        ...clients.map(async (client) => ({ client, looks: await ask(server, client, client.id, isOver) })),
        ask(server, nobody, '', isOver).then((looks) => ({ client: undefined, looks })),
      ]),
    )
    await end()
    const patienceMs = boundMs + 4 * longestStopMs()
    for (const { client, looks } of looked) {
      expect(looks.length).toBeGreaterThan(20)
      if (client === undefined) {
        expect(looks.filter(({ seen }) => seen !== '401')).toEqual([])
        continue
      }
      const first = { client: client.id, seen: '200 gold' as Seen, begunMs: 0, endedMs: 0 }
      const states = [first, ...edits.filter((edit) => edit.client === client.id)]
      expect(wrongLooks(looks, states, patienceMs)).toEqual([])
    }
  })
})
