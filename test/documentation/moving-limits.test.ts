import { readFileSync } from 'node:fs'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { MemoryStore, rateLimit, type Options } from 'express-rate-limit'
import { afterEach, describe, expect, it } from 'vitest'
import { clientele, type ClienteleOptions } from '../../src/adapters/express.js'
import {
  defineTier,
  memoryStore,
  registerClient,
  requestContract,
  type Counter,
  type LimitBySlaOptions,
  type LimitInput,
} from '../../src/index.js'
import { call, type Answer } from '../support/call.js'
import { listen, type Running } from '../support/frameworks.js'
import { rowsOf } from './tables.js'

const guide = { path: 'docs/guides/migration.md', text: readFileSync('docs/guides/migration.md', 'utf8') }
const api = 'orders'
const actor = 'test'

describe('an app moved over from express-rate-limit', () => {
  const running: Running[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.close()))
  })

  /** Calls that app with and without what names the caller. */
  async function callsTo(app: Express, headers: [string, string][]): Promise<(named?: boolean) => Promise<Answer>> {
    const started = await listen(app)
    running.push(started)
    return (named = true) => call(started.url, { path: '/orders', headers: named ? headers : [] })
  }
  const before = (...limiters: Partial<Options>[]) => callsTo(limited(...limiters), [['x-api-key', 'key']])
  async function here(limits: readonly LimitInput[], options: Given = {}) {
    const { app, headers } = await limitedBySla(limits, options)
    return callsTo(app, headers)
  }

  const lost = (): never => {
    throw new Error('out of reach')
  }
  const lostStore = Object.assign(new MemoryStore(), { increment: lost })
  const lostCounter: Counter = { take: lost, peek: lost, giveBack: lost, reset: lost }
  const three = { windowMs: 60_000, limit: 3 }
  const logger = { error: () => undefined, warn: () => undefined }
  const nth =
    (count: number, named = true) =>
    async (ask: (named?: boolean) => Promise<Answer>) => {
      for (let index = 1; index < count; index += 1) await ask()
      return String((await ask(named)).status)
    }

  /** As the titles of the rows say. */
  const requests: Record<string, { ask: ReturnType<typeof nth>; options?: Partial<Options>; counter?: Counter }> = {
    'the last one that fits': { ask: nth(3) },
    'the first one that does not': { ask: nth(4) },
    'one without a key, or credentials': { ask: nth(1, false) },
    'any, while store or counter fail': { ask: nth(1), options: { store: lostStore }, counter: lostCounter },
    'any, while store or counter fail, with `passOnStoreError`': {
      ask: nth(1),
      options: { store: lostStore, passOnStoreError: true, logger },
      counter: lostCounter,
    },
  }

  it.each(rowsOf(guide, ['request', 'before', 'here']))('answers to %s: %s, %s', async (title, ...statuses) => {
    const row = requests[title]
    if (row === undefined) throw new Error(`there is no such request: ${title}`)
    const old = await before({ ...three, ...row.options })
    const moved = await here([{ requests: 3, windowSeconds: 60 }], { counter: row.counter })
    expect([await row.ask(old), await row.ask(moved)]).toEqual(statuses)
  })

  it('is compared in each of its requests', () => {
    const titles = rowsOf(guide, ['request', 'before', 'here']).map(([title]) => title)
    expect(titles.sort()).toEqual(Object.keys(requests).sort())
  })

  it('is charged by all limits or by none, where two limiters charge one after the other', async () => {
    const fields = { standardHeaders: 'draft-8', legacyHeaders: false } as const
    const minute = { ...fields, windowMs: 60_000, limit: 5, identifier: 'minute' }
    const old = await before(minute, { ...fields, windowMs: 3_600_000, limit: 2, identifier: 'hour' })
    const moved = await here([
      { requests: 5, windowSeconds: 60 },
      { requests: 2, windowSeconds: 3600 },
    ])
    const statuses: number[][] = []
    for (let index = 0; index < 4; index += 1) statuses.push([(await old()).status, (await moved()).status])
    expect(statuses).toEqual([200, 200, 429, 429].map((status) => [status, status]))
    const [first, second] = [await old(), await moved()]
    // This call was the fifth: four before it had left 1 to the limiter that stands first.
    expect(first.fields('RateLimit').join()).toContain('"minute"; r=0;')
    expect(second.fields('RateLimit').join()).toContain('"trial-60s";r=3;')
    expect(Number(second.headers['retry-after'])).toBeGreaterThan(3590)
    expect(Number(first.headers['retry-after'])).toBeGreaterThan(3590)
  })

  it('says when the window ends in seconds from now, where the old field is the time of day', async () => {
    const old = await before(three)
    const moved = await here([{ requests: 3, windowSeconds: 60 }], { fields: ['x-ratelimit'] })
    const [first, second] = [(await old()).headers, (await moved()).headers]
    expect(Math.abs(Number(first['x-ratelimit-reset']) - Date.now() / 1000 - 60)).toBeLessThan(5)
    expect(second['x-ratelimit-reset']).toBe('60')
    for (const name of ['x-ratelimit-limit', 'x-ratelimit-remaining']) expect(second[name]).toBe(first[name])
  })
})

const shortErrors: ErrorRequestHandler = (_error, _req, res, _next) => {
  res.status(500).end()
}

function limited(...limiters: Partial<Options>[]): Express {
  const app = express()
  for (const limiter of limiters) app.use(rateLimit({ keyGenerator: (req) => req.get('x-api-key') ?? '', ...limiter }))
  return app.get('/orders', (_req, res) => res.json([])).use(shortErrors)
}

type Given = LimitBySlaOptions & Pick<ClienteleOptions, 'counter'>

async function limitedBySla(limits: readonly LimitInput[], { counter, ...options }: Given) {
  const store = memoryStore()
  await defineTier(store, { api, name: 'trial', approval: 'automatic', limits, actor })
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'web shop', actor })
  await requestContract(store, { client: client.id, api, tier: 'trial', actor })
  const { enforceClientId, limitBySla } = clientele({ api, store, counter, onDecision: () => undefined })
  const app = express().get('/orders', enforceClientId(), limitBySla(options), (_req, res) => res.json([]))
  const headers: [string, string][] = [
    ['client_id', clientId],
    ['client_secret', clientSecret],
  ]
  return { app, headers }
}
