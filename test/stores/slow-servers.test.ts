import { defineTier, registerClient, requestContract } from 'clientele'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithServer } from '../support/needs.js'
import { TcpProxy } from '../support/tcp-proxy.js'
import type { StorePlace } from './children/open-store.js'
import { ServerProcess, type Credentials } from './server-process.js'
import { editedPlace } from './store-places.js'

const api = 'orders'
const actor = 'test'
const nobody: Credentials = { clientId: 'nobody', clientSecret: 'x' }
const delayMs = 250
/** There and back. */
const roundTripMs = 2 * delayMs

/** Of several, so that a busy machine is not taken for a slow store. */
async function fastest(server: ServerProcess, as: Credentials, status: number, tries = 2): Promise<number> {
  const times: number[] = []
  for (let time = 0; time < tries; time += 1) {
    const begun = performance.now()
    expect((await server.get(as)).status).toBe(status)
    times.push(performance.now() - begun)
  }
  return Math.min(...times)
}

for (const kind of ['redis', 'postgres'] as const) {
  const suite = await describeWithServer(kind)
  suite(`a store that answers late: ${kind}`, () => {
    let opened: Awaited<ReturnType<typeof editedPlace>>
    let proxy: TcpProxy
    let cached: ServerProcess
    let plain: ServerProcess
    let known: Credentials

    beforeAll(async () => {
      opened = await editedPlace(kind)
      const limits = [{ requests: 1_000_000, windowSeconds: 60 }]
      await defineTier(opened.store, { api, name: 'gold', approval: 'automatic', limits, actor })
      const { client, clientId, clientSecret } = await registerClient(opened.store, { name: 'app', actor })
      await requestContract(opened.store, { client: client.id, api, tier: 'gold', actor })
      known = { clientId, clientSecret }
      const place = opened.place as Exclude<StorePlace, { kind: 'disk' }>
      proxy = await TcpProxy.before(place.url)
      const through = { ...place, url: proxy.through(place.url) }
      const cache = { freshForMs: 600_000, timeoutMs: 20_000, unknownForMs: 1 }
      ;[cached, plain] = await Promise.all([ServerProcess.start(through, { cache }), ServerProcess.start(through)])
    }, 60_000)
    afterAll(async () => {
      await Promise.all([cached.kill(), plain.kill()])
      await proxy.cut()
      await opened.close()
      await opened.remove()
    })

    it(
      'slow: who is in memory waits for nothing, everybody else as long as it takes',
      { timeout: 120_000 },
      async () => {
        for (const server of [cached, plain]) {
          await server.msUntil(known, ({ status }) => status === 200, performance.now())
          await server.msUntil(nobody, ({ status }) => status === 401, performance.now())
        }
        proxy.slowDown(delayMs)
        expect(await fastest(cached, known, 200, 10)).toBeLessThan(roundTripMs)
        expect(await fastest(cached, nobody, 401)).toBeGreaterThan(roundTripMs - 50)
        expect(await fastest(plain, known, 200)).toBeGreaterThan(roundTripMs - 50)
      },
    )
  })
}
