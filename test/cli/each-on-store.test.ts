import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { createClient } from 'redis'
import { afterAll, describe, expect, it } from 'vitest'
import { defineTier, registerClient, requestContract, type ContractStore, type Counter } from 'clientele'
import { clientele as policies } from 'clientele/express'
import { diskCounter, diskStore } from 'clientele/disk'
import { redisCounter, redisStore } from 'clientele/redis'
import { call } from '../support/call.js'
import { listen } from '../support/frameworks.js'
import { describeWithServer } from '../support/needs.js'
import { ownPlace } from '../support/servers.js'
import { answerOf, clientele } from './clientele-process.js'

const directory = mkdtempSync(join(tmpdir(), 'clientele-each-'))

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

interface Opened {
  /** As `--store` and `--counter` take them. */
  readonly location: string
  readonly counterLocation: string
  readonly store: ContractStore
  readonly counter: Counter
  close(): Promise<void>
}

function onDisk(): Opened {
  const [location, counterLocation] = [join(directory, 'data'), join(directory, 'counter')]
  const [store, counter] = [diskStore({ path: location }), diskCounter({ path: counterLocation })]
  const close = async (): Promise<void> => {
    await store.close()
    await counter.close()
  }
  return { location, counterLocation, store, counter, close }
}

async function onRedis(): Promise<Opened> {
  const place = await ownPlace('redis')
  const client = createClient({ url: place.url })
  await client.connect()
  const store = redisStore(client, { prefix: place.prefix })
  const location = `${place.url}?prefix=${place.prefix}`
  const close = async (): Promise<void> => {
    await store.close()
    client.destroy()
    await place.remove()
  }
  return { location, counterLocation: location, store, counter: redisCounter(client, { prefix: place.prefix }), close }
}

/** A server on the store, and somebody who calls it all the while. */
async function underLoad(opened: Opened): Promise<() => Promise<readonly number[]>> {
  const { store, counter } = opened
  await defineTier(store, {
    api: 'load',
    name: 'wide',
    approval: 'automatic',
    limits: [{ requests: 1_000_000, windowSeconds: 3600 }],
    actor: 'load',
  })
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'load', actor: 'load' })
  await requestContract(store, { client: client.id, api: 'load', tier: 'wide', actor: 'load' })
  const { enforceClientId, limitBySla } = policies({ api: 'load', store, counter })
  const app = express()
  app.get('/', enforceClientId(), limitBySla(), (_request, response) => response.json({}))
  const server = await listen(app)
  const headers = [
    ['client_id', clientId],
    ['client_secret', clientSecret],
  ] as const
  const statuses: number[] = []
  const over = new AbortController()
  const work = (async () => {
    while (!over.signal.aborted) {
      statuses.push((await call(server.url, { path: '/', headers })).status)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  return async () => {
    over.abort()
    await work
    await server.close()
    return statuses
  }
}

/** What the walk of commands.test.ts does not run, each by a process of its own. */
async function runEach(opened: Opened, files: string): Promise<void> {
  mkdirSync(files)
  const { location, counterLocation } = opened
  const at = { store: location, environment: { CLIENTELE_COUNTER: counterLocation } }
  const stop = await underLoad(opened)
  const define = async (name: string): Promise<void> => {
    await answerOf(at, 'tiers', 'define', '--api', 'orders', '--name', name, '--approval', 'manual', '--limit', '9/60s')
  }
  await define('gold')
  await define('platinum')
  expect(await answerOf(at, 'tiers', 'list', '--api', 'orders')).toHaveLength(2)
  await answerOf(at, 'clients', 'register', '--name', 'Shop', '--client-id', 'shop')
  expect(await answerOf(at, 'clients', 'show', 'shop')).toMatchObject({ name: 'Shop', secrets: [{}] })
  await answerOf(at, 'clients', 'disable', 'shop')
  expect(await answerOf(at, 'clients', 'enable', 'shop')).toMatchObject({ done: 'enabled' })
  const linked = await answerOf(
    at,
    'clients',
    'link',
    'shop',
    '--issuer',
    'https://login.example.com',
    '--client-id',
    'x',
  )
  expect(linked.identities).toHaveLength(2)
  await contractMoves(at)
  expect(await answerOf(at, 'tiers', 'deprecate', '--api', 'orders', '--name', 'gold')).toMatchObject({
    state: 'deprecated',
  })
  const used = await answerOf(at, 'usage', 'list', '--api', 'load', '--used')
  expect(used).toMatchObject([{ name: 'load', limits: [{ limit: { requests: 1_000_000 } }] }])
  expect(used[0].limits[0].used).toBeGreaterThan(0)
  await answerOf(at, 'usage', 'reset', 'shop', '--api', 'orders')
  await filesOf(at, files)
  const statuses = await stop()
  expect(statuses.length).toBeGreaterThan(20)
  expect(statuses.filter((status) => status !== 200)).toEqual([])
}

type At = Parameters<typeof answerOf>[0]

async function contractMoves(at: At): Promise<void> {
  await answerOf(at, 'contracts', 'request', 'shop', '--api', 'orders', '--tier', 'gold')
  const own = await clientele(at, 'contracts', 'approve', 'shop', '--api', 'orders')
  expect(own.stderr).toContain('give --own-request')
  await answerOf(at, 'contracts', 'approve', 'shop', '--api', 'orders', '--own-request')
  const moved = await answerOf(at, 'contracts', 'change-tier', 'shop', '--api', 'orders', '--tier', 'platinum')
  expect(moved).toMatchObject({ state: 'approved', tier: 'gold', requestedTier: 'platinum' })
  await answerOf(at, 'contracts', 'reject', 'shop', '--api', 'orders', '--actor', 'dan')
  const listed = await answerOf(at, 'contracts', 'list', '--api', 'orders')
  expect(listed).toMatchObject([{ clientName: 'Shop', tier: 'gold' }])
}

async function filesOf(at: At, files: string): Promise<void> {
  const exported = await clientele(at, 'export', 'clients', '--format', 'csv')
  expect(exported.stdout).toContain('Shop')
  const csv = join(files, 'keys.csv')
  writeFileSync(csv, 'client_id,name,api\nold-1,Old,orders\nold-2,Older,orders\n')
  const wanted = { clients: 2, contracts: 2, rows: 2 }
  expect(await answerOf(at, 'import', csv, '--format', 'csv', '--dry-run')).toMatchObject({
    ...wanted,
    done: 'checked',
  })
  expect(await answerOf(at, 'import', csv, '--format', 'csv')).toMatchObject(wanted)
  expect(await answerOf(at, 'import', csv, '--format', 'csv', '--dry-run')).toMatchObject({ clients: 0, contracts: 0 })
  const yaml = join(files, 'clientele.yaml')
  writeFileSync(yaml, 'clients:\n  - { clientId: new-one, name: New }\n')
  expect(await answerOf(at, 'plan', yaml)).toHaveLength(1)
  expect((await clientele(at, 'drift', yaml)).code).toBe(7)
  await clientele(at, 'apply', yaml, '--secrets-out', join(files, 'secrets.jsonl'))
  expect((await clientele(at, 'drift', yaml)).code).toBe(0)
  expect(JSON.parse((await clientele(at, 'schema')).stdout)).toHaveProperty('properties')
}

describe('on a disk store that a server under load uses', () => {
  it('each command does its step', { timeout: 240_000 }, async () => {
    const opened = onDisk()
    await runEach(opened, join(directory, 'disk')).finally(() => opened.close())
  })
})

const withRedis = await describeWithServer('redis')
withRedis('on a Redis that a server under load uses', () => {
  it('each command does its step', { timeout: 240_000 }, async () => {
    const opened = await onRedis()
    await runEach(opened, join(directory, 'redis')).finally(() => opened.close())
  })
})
