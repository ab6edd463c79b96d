import { memoryCounter, type LimitBySlaOptions, type LimitInput } from 'clientele'
import { approveContract, defineTier, memoryStore, registerClient, requestContract } from 'clientele'
import { parseList, type Item } from 'structured-headers'
import { afterEach, describe, expect, it } from 'vitest'
import type { Handlers } from '../../src/adapters/handlers.js'
import { expectRefusal, type Headers } from '../attacks/attacked.js'
import { call, type Answer } from '../support/call.js'
import { frameworks, type Framework, type Running } from '../support/frameworks.js'

const actor = 'test'
const api = 'orders'
const running: Running[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
})

/** The limits of a tier that has each kind, and room for one request. */
const everyKind: readonly LimitInput[] = [
  { algorithm: 'fixed', requests: 1, windowSeconds: 60 },
  { algorithm: 'fixed', requests: 9, windowSeconds: 0.5 },
  { algorithm: 'sliding', requests: 9, windowSeconds: 60 },
  { algorithm: 'gcra', requests: 9, windowSeconds: 1, burst: 9 },
  { algorithm: 'calendar', requests: 9, unit: 'month', timeZone: 'Europe/Berlin' },
  { algorithm: 'concurrent', requests: 9 },
]

async function answers(
  framework: Framework,
  guard: (on: Handlers<object>) => object,
  limits = everyKind,
): Promise<[Answer, Answer]> {
  const store = memoryStore()
  await defineTier(store, { api, name: 'gold', approval: 'manual', limits, actor })
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'app', actor })
  await requestContract(store, { client: client.id, api, tier: 'gold', actor })
  await approveContract(store, { client: client.id, api, actor, ownRequest: true })
  const clock = { nowMs: 1000 }
  const counter = memoryCounter({ clock: () => clock.nowMs })
  const server = await framework.start(
    { api, store, counter },
    { routes: { 'ALL /': (on) => [on.enforceClientId(), guard(on)] } },
  )
  running.push(server)
  const headers: Headers = [
    ['client_id', clientId],
    ['client_secret', clientSecret],
  ]
  const first = await call(server.url, { headers })
  clock.nowMs += 10_000
  return [first, await call(server.url, { headers })]
}

const itemsOf = (answer: Answer, field: string) => parseList(answer.fields(field)[0] ?? '') as Item[]
const policies = [
  ['limitBySla', (options: LimitBySlaOptions) => (on: Handlers<object>) => on.limitBySla(options)],
  ['throttleBySla', (options: LimitBySlaOptions) => (on: Handlers<object>) => on.throttleBySla(options)],
] as const

describe.each(frameworks)('$name', (framework) => {
  describe.each(policies)('%s', (_name, guarded) => {
    it('tells of all limits, and in the 429 of those that have no room, in the words of the draft', async () => {
      const [good, refused] = await answers(framework, guarded({}))
      const names = [
        ...['gold-60s', 'gold-500ms', 'gold-sliding-60s', 'gold-gcra-1s'],
        ...['gold-month', 'gold-concurrent'],
      ]
      for (const answer of [good, refused]) {
        expect(itemsOf(answer, 'RateLimit').map(([name]) => name)).toEqual(names)
        const policy = itemsOf(answer, 'RateLimit-Policy')
        expect(policy.map(([name]) => name)).toEqual(names)
        // No w for half a second, nor for a month, nor where time plays no part.
        expect(policy.map(([, parameters]) => parameters.get('w'))).toEqual([
          ...[60, undefined, 60, 1],
          ...[undefined, undefined],
        ])
        expect(Object.keys(answer.headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([])
      }
      expectRefusal(refused, 429, 'limit_exceeded')
      expect(refused.json).toMatchObject({
        type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
        'violated-policies': ['gold-60s'],
      })
      // Never before the window allows, and no more than a tenth later.
      const seconds = Number(refused.headers['retry-after'])
      expect(seconds).toBeGreaterThanOrEqual(50)
      expect(seconds).toBeLessThanOrEqual(56)
    })

    it.each([
      ['x-ratelimit', '60', '50'],
      ['x-ratelimit-ms', '60000', '50000'],
    ] as const)('%s tells of the scarcest limit', async (set, before, after) => {
      const [good, refused] = await answers(framework, guarded({ fields: [set] }))
      const told = ({ headers }: Answer) => [
        ...[headers['x-ratelimit-limit'], headers['x-ratelimit-remaining'], headers['x-ratelimit-reset']],
        ...[headers.ratelimit, headers['ratelimit-policy']],
      ]
      expect(told(good)).toEqual(['1', '0', before, undefined, undefined])
      expect(told(refused)).toEqual(['1', '0', after, undefined, undefined])
    })

    it('off altogether: no field but Retry-After', async () => {
      const [good, refused] = await answers(framework, guarded({ fields: [] }))
      expectRefusal(refused, 429, 'limit_exceeded')
      expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(50)
      for (const { headers } of [good, refused]) {
        expect(Object.keys(headers).filter((name) => name.includes('ratelimit'))).toEqual([])
      }
    })
  })
})
