import { createHash, scryptSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import bcrypt from 'bcryptjs'
import { afterAll, describe, expect, it } from 'vitest'
import { defineTier, memoryStore, readAuditLog, removeClient, type ContractStore } from 'clientele'
import { clientele as policies } from 'clientele/express'
import { diskStore } from 'clientele/disk'
import express from 'express'
import supertest from 'supertest'
import { answerOf, clientele } from './clientele-process.js'
import { importClients } from '../../src/contracts/lifecycle/import-clients.js'
import { csvRows } from '../../src/cli/import/csv-rows.js'
import { parseSecretHash } from '../../src/cli/import/secret-hash.js'

const directory = mkdtempSync(join(tmpdir(), 'clientele-import-'))
let made = 0
const newPath = (): string => join(directory, `store${String(++made)}`)

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

function written(text: string): string {
  const path = join(directory, `file${String(++made)}`)
  writeFileSync(path, text)
  return path
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

function phcScrypt(text: string): string {
  const salt = Buffer.from('0123456789abcdef')
  const hash = scryptSync(text, salt, 32, { N: 2 ** 12, r: 8, p: 1 })
  const base64 = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')
  return `$scrypt$ln=12,r=8,p=1$${base64(salt)}$${base64(hash)}`
}

const foreign = {
  plain: `sha256:${sha256('plain secret')}`,
  salted: `sha256:pepper:${sha256('peppersalted secret')}`,
  bcrypt: bcrypt.hashSync('bcrypt secret', 4),
  scrypt: phcScrypt('scrypt secret'),
}

const csv = ['client_id,name,owner,secret_hash,api', ...Object.entries(foreign).map(keyLine)].join('\n')

function keyLine([id, hash]: readonly [string, string]): string {
  return `${id},"Client ${id}",bob,"${hash}",orders`
}

function server(store: ContractStore): express.Express {
  const { enforceClientId } = policies({ api: 'orders', store })
  const app = express()
  app.get('/orders', enforceClientId(), (_request, response) => {
    response.json({})
  })
  return app
}

async function statusOf(app: express.Express, id: string, secret: string): Promise<number> {
  return (await supertest(app).get('/orders').set({ client_id: id, client_secret: secret })).status
}

async function algorithmOf(store: ContractStore, clientId: string): Promise<string | undefined> {
  return (await store.findClient({ issuer: 'local', clientId }))?.secrets[0]?.algorithm
}

describe('keys with foreign hashes', () => {
  it('work at once, and become scrypt with the first use', { timeout: 120_000 }, async () => {
    const path = newPath()
    const file = written(csv)
    expect(await answerOf({ store: path }, '--create', 'import', file, '--format', 'csv')).toMatchObject({
      clients: 4,
      secrets: 4,
      contracts: 4,
    })
    const store = diskStore({ path })
    const app = server(store)
    for (const id of Object.keys(foreign)) {
      expect(await statusOf(app, id, 'wrong')).toBe(401)
      expect(await statusOf(app, id, `${id} secret`)).toBe(200)
      await expect.poll(() => algorithmOf(store, id), { timeout: 20_000 }).toBe('scrypt')
      expect(await statusOf(app, id, `${id} secret`)).toBe(200)
    }
    const steps = []
    for await (const { step, actor } of readAuditLog(store)) if (step === 'upgradeSecret') steps.push(actor)
    expect(steps).toEqual(['clientele', 'clientele', 'clientele'])
    const before = (await store.list<'client'>({ kind: 'client' })).records
    expect(await answerOf({ store: path }, 'import', file, '--format', 'csv')).toMatchObject({ clients: 0, secrets: 0 })
    expect((await store.list<'client'>({ kind: 'client' })).records).toEqual(before)
    await store.close()
  })

  it('of which one is longer than bcrypt looks are refused', { timeout: 60_000 }, async () => {
    const store = memoryStore()
    const long = 'x'.repeat(72)
    const secret = parseSecretHash(bcrypt.hashSync(long, 4))!
    const contracts = [{ api: 'orders', state: 'approved' }] as const
    await importClients(store, { actor: 'ann', clients: [{ clientId: 'long', name: 'L', secret, contracts }] })
    const app = server(store)
    expect(await statusOf(app, 'long', `${long}y`)).toBe(401)
    expect(await statusOf(app, 'long', long)).toBe(200)
  })

  it(
    'let a hundred wrong guesses hold up neither the event loop nor the thread pool',
    { timeout: 60_000 },
    async () => {
      const store = memoryStore()
      const secret = parseSecretHash(bcrypt.hashSync('right', 10))!
      await importClients(store, {
        actor: 'ann',
        clients: [{ clientId: 'slow', name: 'S', secret, contracts: [{ api: 'orders', state: 'approved' }] }],
      })
      const app = server(store)
      const guesses = Promise.all(Array.from({ length: 100 }, (_, at) => statusOf(app, 'slow', `guess ${String(at)}`)))
      const state = { isOver: false }
      void guesses.then(() => (state.isOver = true))
      let turns = 0
      while (!state.isOver) {
        await new Promise((resolve) => setImmediate(resolve))
        turns++
      }
      const statuses = await guesses
      expect(statuses.every((status) => status === 401 || status === 503)).toBe(true)
      expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(0)
      // Bound by the checks, the loop would come round once per guess.
      expect(turns).toBeGreaterThan(1000)
      expect(await statusOf(app, 'slow', 'right')).toBe(200)
    },
  )
})

describe('an import', () => {
  it('that broke off is run again, and leaves what is there', async () => {
    const store = memoryStore()
    const rows = csvRows(csv).rows.map(({ client }) => client)
    await importClients(store, { actor: 'ann', clients: rows.slice(0, 2) })
    const [first] = (await store.list<'client'>({ kind: 'client' })).records
    expect(await importClients(store, { actor: 'ann', clients: rows })).toEqual({
      clients: 2,
      secrets: 2,
      contracts: 2,
    })
    expect(store.find('client', { id: first!.id })).toEqual(first)
  })

  it('gives a secret to a client that has none, and a client ID of a removed one to nobody', async () => {
    const store = memoryStore()
    const secret = parseSecretHash(foreign.plain)!
    await importClients(store, { actor: 'ann', clients: [{ clientId: 'one', name: 'One' }] })
    const clients = [{ clientId: 'one', name: 'Other', secret }]
    expect(await importClients(store, { actor: 'ann', clients })).toEqual({ clients: 0, secrets: 1, contracts: 0 })
    const client = store.findClient({ issuer: 'local', clientId: 'one' })
    expect(client).toMatchObject({ name: 'One', secrets: [{ algorithm: 'imported-sha256' }] })
    await removeClient(store, { client: client!.id, actor: 'ann' })
    await expect(importClients(store, { actor: 'ann', clients })).rejects.toMatchObject({ code: 'ERR_CLIENTELE_STATE' })
  })

  const head = 'client_id,secret_hash,api,tier\n'
  it.each([
    ['an unknown hash', `${head}a,md5:0123,,\n`, 'line 2: secret'],
    [
      'a bcrypt of 31',
      `${head}a,$2b$31$${'x'.repeat(53)},,\n`,
      'line 2: secret.hash: expected a bcrypt hash of a cost',
    ],
    ['a scrypt of 2^30', `${head}a,${phcScrypt('x').replace('ln=12', 'ln=30')},,\n`.replaceAll(',r', ';r'), 'line 2'],
    ['a bad ID', `${head}a b,,,\n`, 'line 2: clientId: '],
    [
      'two rows that differ',
      `${head}a,sha256:${sha256('x')},x,\na,sha256:${sha256('y')},y,\n`,
      'line 3: the client of line 2',
    ],
    ['a column of secrets', 'client_id,secret\na,s3cr3t\n', 'line 1: expected client_id'],
    ['an unknown tier', `${head}a,,orders,glod\n`, 'line 2: no such tier of orders'],
    ['a quote that is open', `${head}"a,,,\n`, 'line 2: a quote'],
  ])('is refused with the line, and changes nothing: %s', async (_what, text, place) => {
    const path = newPath()
    const store = diskStore({ path })
    const { code, stderr } = await clientele({ store: path }, 'import', written(text), '--format', 'csv')
    expect(code).toBe(2)
    expect(stderr).toContain(place)
    expect(stderr).not.toContain('s3cr3t')
    expect((await store.list({ kind: 'client' })).records).toEqual([])
    await store.close()
  })

  it('caps what a foreign hash may cost', () => {
    const tooMuch = [phcScrypt('x').replace('ln=12', 'ln=30'), `$2b$31$${'x'.repeat(53)}`, `$2b$13$${'x'.repeat(53)}`]
    for (const hash of tooMuch) {
      const { problems } = csvRows(`client_id,secret_hash\na,"${hash}"\n`)
      expect(problems).toHaveLength(1)
      expect(problems[0]!.message).not.toContain(hash)
    }
  })

  it('of a hundred thousand clients is over within a minute of work', { timeout: 600_000 }, async () => {
    const lines = Array.from({ length: 100_000 }, (_, at) => `client-${String(at)},sha256:${sha256(String(at))},orders`)
    const { rows } = csvRows(['client_id,secret_hash,api', ...lines].join('\n'))
    const store = diskStore({ path: newPath() })
    // What this process has done itself: on a busy machine the clock says nothing about it.
    const before = process.cpuUsage()
    for (let start = 0; start < rows.length; start += 1000) {
      const clients = rows.slice(start, start + 1000).map(({ client }) => client)
      await importClients(store, { actor: 'ann', clients })
    }
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1_000_000).toBeLessThan(60)
    expect(await store.findClient({ issuer: 'local', clientId: 'client-99999' })).toMatchObject({
      name: 'client-99999',
    })
    await store.close()
  })
})

const listing = {
  total: 3,
  contracts: [
    muleSoft('APPROVED', 'a1', {
      name: 'Gold',
      autoApprove: false,
      limits: [{ maximumRequests: 10, timePeriodInMilliseconds: 60_000, visible: true }],
    }),
    muleSoft('PENDING', 'b2', {
      name: 'Gold',
      autoApprove: false,
      limits: [{ maximumRequests: 10, timePeriodInMilliseconds: 60_000, visible: true }],
    }),
    muleSoft('REVOKED', 'c3', null),
  ],
}

function muleSoft(status: string, clientId: string, tier: object | null): object {
  const application = { id: 1, name: `App ${clientId}`, coreServicesId: clientId, description: null }
  return { id: 7, status, masterOrganizationId: 'x', applicationId: 1, application, tier, requestedTier: null }
}

describe('a listing of contracts of MuleSoft', () => {
  it('brings clients, tiers and contracts in the states they have', { timeout: 60_000 }, async () => {
    const path = newPath()
    const store = diskStore({ path })
    await defineTier(store, {
      api: 'other',
      name: 'x',
      approval: 'manual',
      limits: [{ requests: 1, windowSeconds: 1 }],
      actor: 'ann',
    })
    const parameters = ['import', written(JSON.stringify(listing)), '--format', 'mulesoft']
    expect(await clientele({ store: path }, ...parameters)).toMatchObject({ code: 2 })
    expect(await answerOf({ store: path }, ...parameters, '--api', 'orders')).toMatchObject({
      clients: 3,
      contracts: 3,
      tiers: 1,
      secrets: 0,
    })
    expect(await store.findTier('orders', 'Gold')).toMatchObject({
      approval: 'manual',
      limits: [{ requests: 10, windowSeconds: 60 }],
    })
    const { records } = await store.list<'contract'>({ kind: 'contract', api: 'orders' })
    expect(records.map(({ state, barred }) => `${state} ${String(barred)}`).sort()).toEqual([
      'approved false',
      'pending false',
      'revoked true',
    ])
    await store.close()
  })
})
