import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { approveContract, basicAuth, headers, memoryStore, query, registerClient, requestContract } from 'clientele'
import type { ContractReader, ContractStore, Counter } from 'clientele'
import { diskCounter } from 'clientele/disk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { basic, seen, withHeaders, type Clients } from '../conversations/client-id.js'
import { call, type Answer, type Call } from '../support/call.js'
import { frameworks, type App, type Running } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'

const actor = 'test'
const any = [headers(), query(), basicAuth()]
const app: App = {
  routes: {
    'ALL /any': (on) => [on.enforceClientId({ from: any })],
    'ALL /limited': (on) => [on.enforceClientId({ from: any }), on.limitBySla()],
    'ALL /optional': (on) => [on.enforceClientId({ secret: 'optional' }), on.limitBySla()],
  },
}

const codeOf = (answer: Answer): unknown => [answer.status, (answer.json as { code?: string } | undefined)?.code]

describe.each(frameworks)('$name', (framework) => {
  let server: Running
  let clients: Clients
  let store: ContractStore
  const events: unknown[] = []
  let lookups = 0

  beforeAll(async () => {
    const seeded = await seededStore()
    clients = seeded.clients
    store = seeded.store
    const counting: ContractReader = {
      findClient: (identity) => {
        lookups += 1
        return seeded.store.findClient(identity)
      },
      findContract: (client, api) => seeded.store.findContract(client, api),
      findTier: (api, name) => seeded.store.findTier(api, name),
    }
    const onDecision = (event: unknown): void => void events.push(event)
    server = await framework.start({ api: 'orders', store: counting, onDecision }, app)
  })

  afterAll(() => server.close())

  /** The right answer, and the process alive to serve the next good request. */
  async function refused(attack: Call, ...expected: [status: number, code: string]): Promise<Answer> {
    const answer = await call(server.url, attack)
    expect(codeOf(answer), answer.text).toEqual(expected)
    const { clientId, clientSecret } = clients.approved
    const next = await call(server.url, { path: '/any', headers: withHeaders(clientId, clientSecret) ?? [] })
    expect(next.status).toBe(200)
    return answer
  }

  describe('#21 digest, then constant-time comparison', () => {
    it.each(['', 'x', 'x'.repeat(64), 'x'.repeat(8000), 'cls_', '\u00e9\u00e9'])(
      'a secret of unequal length (%#)',
      async (guess) => {
        const { clientId } = clients.approved
        await refused({ path: '/any', headers: [basic(clientId, guess)] }, 401, 'client_invalid')
      },
    )
  })

  describe('#22 exactly one string per value', () => {
    it.each<[string, string]>([
      ['a repeated parameter', 'client_id=ID&client_id=ID&client_secret=SECRET'],
      ['an array', 'client_id[]=ID&client_secret=SECRET'],
      ['an indexed array', 'client_id[0]=ID&client_secret=SECRET'],
      ['an object', 'client_id[a]=ID&client_secret=SECRET'],
      ['an operator', 'client_id[$ne]=&client_secret[$ne]='],
      ['an array for a secret', 'client_id=ID&client_secret[]=SECRET'],
      ['a repeated secret', 'client_id=ID&client_secret=SECRET&client_secret=x'],
      ['an array beside a good pair', 'client_id=ID&client_secret=SECRET&client_id[]=x'],
    ])('%s in the query', async (_name, parameters) => {
      const { clientId, clientSecret } = clients.approved
      const path = `/any?${parameters.replaceAll('ID', clientId).replaceAll('SECRET', clientSecret)}`
      await refused({ path }, 400, 'credentials_malformed')
    })

    it('a repeated header field', async () => {
      const { clientId, clientSecret } = clients.approved
      const fields = withHeaders(clientId, clientSecret, [['client_id', clientId]]) ?? []
      await refused({ path: '/any', headers: fields }, 400, 'credentials_malformed')
    })

    it('two Authorization fields, of which Node would keep the first', async () => {
      const { approved, pending } = clients
      const fields = [basic(approved.clientId, approved.clientSecret), basic(pending.clientId, pending.clientSecret)]
      await refused({ path: '/any', headers: fields }, 400, 'credentials_malformed')
    })
  })

  describe('#23 halves and disagreements', () => {
    it('two sources that disagree', async () => {
      const { approved, pending } = clients
      const path = `/any?client_id=${pending.clientId}&client_secret=${pending.clientSecret}`
      await refused(
        { path, headers: withHeaders(approved.clientId, approved.clientSecret) ?? [] },
        400,
        'credentials_ambiguous',
      )
    })

    it('an ID without its secret', async () => {
      await refused({ path: '/any', headers: withHeaders(clients.approved.clientId) ?? [] }, 401, 'client_invalid')
    })

    it('an ID in one place, its secret in another', async () => {
      const { clientId, clientSecret } = clients.approved
      const path = `/any?client_secret=${clientSecret}`
      await refused({ path, headers: withHeaders(clientId) ?? [] }, 400, 'credentials_malformed')
    })
  })

  describe('#24 strange IDs', () => {
    const ids = [
      '__proto__',
      'constructor',
      'hasOwnProperty',
      '::',
      '%',
      '_',
      '*',
      '../',
      '..',
      'x'.repeat(10_240),
      'e\u0301',
      '\u00e9',
      ' ',
      "' or 1=1 --",
      '{"$ne":null}',
    ]
    it.each(ids)('an ID nobody has (%#)', async (id) => {
      const path = `/any?client_id=${encodeURIComponent(id)}&client_secret=x`
      await refused({ path }, 401, 'client_invalid')
      expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    })

    it('an empty one is unreadable, and NUL never reaches the store', async () => {
      await refused({ path: '/any?client_id=&client_secret=x' }, 400, 'credentials_malformed')
      const before = lookups
      await call(server.url, { path: '/any?client_id=a%00b&client_secret=x' })
      expect(lookups).toBe(before)
    })
  })

  describe('#25 unknown, wrong secret, disabled', () => {
    it('the same status, body and fields', async () => {
      const { approved, disabled, none } = clients
      const answers = await Promise.all(
        [
          ['nobody', none.clientSecret],
          [approved.clientId, none.clientSecret],
          [disabled.clientId, disabled.clientSecret],
        ].map(([id = '', secret = '']) => call(server.url, { path: '/any', headers: withHeaders(id, secret) ?? [] })),
      )
      const shown = answers.map(({ status, text, headers: { date: _date, ...fields } }) => ({ status, text, fields }))
      expect(shown[1]).toEqual(shown[0])
      expect(shown[2]).toEqual(shown[0])
    })
  })

  describe('#27 answers that shared caches must not keep', () => {
    it('are private or not stored', async () => {
      const { clientId, clientSecret } = clients.approved
      const good = await call(server.url, { path: `/any?client_id=${clientId}&client_secret=${clientSecret}` })
      expect(good.headers['cache-control']).toMatch(/private|no-store/)
      expect((await call(server.url, { path: '/any' })).headers['cache-control']).toBe('no-store')
    })
  })

  describe('#28 credentials in the query', () => {
    it('do not reach the handler', async () => {
      const { clientId, clientSecret } = clients.approved
      for (const name of ['client_secret', 'client%5fsecret', '%63lient_secret']) {
        const answer = await call(server.url, { path: `/any?q=1&client_id=${clientId}&${name}=${clientSecret}` })
        expect(answer.status).toBe(200)
        expect(answer.text).not.toContain(clientSecret)
        expect(seen(answer).url).toBe(`/any?q=1&client_id=${clientId}`)
      }
    })
  })

  describe('#33 a stranger cannot spend the quota of a client', () => {
    it('with a wrong secret, or with the ID of a public one', async () => {
      const own = await seededStore(memoryStore(), 2)
      const { clients: few } = own
      const limited = await framework.start({ api: 'orders', store: own.store }, app)
      const good = () =>
        call(limited.url, {
          path: '/limited',
          headers: withHeaders(few.approved.clientId, few.approved.clientSecret) ?? [],
        })
      for (let index = 0; index < 5; index += 1) {
        await call(limited.url, {
          path: '/limited',
          headers: withHeaders(few.approved.clientId, few.none.clientSecret) ?? [],
        })
      }
      expect([(await good()).status, (await good()).status, (await good()).status]).toEqual([200, 200, 429])
      const publicly = () => call(limited.url, { path: '/optional', headers: withHeaders(few.public.clientId) ?? [] })
      expect([(await publicly()).status, (await publicly()).status, (await publicly()).status]).toEqual([200, 200, 429])
      await limited.close()
    })
  })

  describe('#38 aliases', () => {
    it.each(['case', 'accent', 'padding', 'width'])('%s makes another client, not the same', async (kind) => {
      const { clientSecret } = await registerClient(store, { name: kind, clientId: `acme-${kind}`, actor })
      const alias =
        { case: 'ACME-case', accent: 'acm\u00e9-accent', padding: 'acme-padding ', width: '\uff41cme-width' }[kind] ??
        ''
      const path = `/any?client_id=${encodeURIComponent(alias)}&client_secret=${clientSecret}`
      await refused({ path }, 401, 'client_invalid')
    })
  })

  describe('#42 spellings of a field', () => {
    it('mixed case is the same field', async () => {
      const { clientId, clientSecret } = clients.approved
      const answer = await call(server.url, {
        path: '/any',
        headers: [
          ['CLIENT_ID', clientId],
          ['Client_Secret', clientSecret],
        ],
      })
      expect(answer.status).toBe(200)
    })

    it('both spellings at once are refused, in whatever case', async () => {
      const { clientId, clientSecret } = clients.approved
      const fields = withHeaders(clientId, clientSecret, [['CLIENT-ID', clients.pending.clientId]]) ?? []
      await refused({ path: '/any', headers: fields }, 400, 'credentials_malformed')
    })

    it('fields joined by a proxy are refused', async () => {
      const { clientId, clientSecret } = clients.approved
      await refused(
        { path: '/any', headers: withHeaders(`${clientId}, ${clientId}`, clientSecret) ?? [] },
        400,
        'credentials_malformed',
      )
      await refused(
        { path: '/any', headers: withHeaders(clientId, `${clientSecret}, ${clientSecret}`) ?? [] },
        401,
        'client_invalid',
      )
    })

    it('naming them in Connection takes nothing away and adds nothing', async () => {
      const { clientId, clientSecret } = clients.approved
      const fields = withHeaders(clientId, clientSecret, [['Connection', 'client_id, client_secret']]) ?? []
      expect((await call(server.url, { path: '/any', headers: fields })).status).toBe(200)
      await refused({ path: '/any', headers: [['Connection', 'client_id']] }, 401, 'credentials_missing')
    })
  })

  describe('#46 forged admissions', () => {
    it('one that stood in the request before the policy is gone, and unprotected routes have none', async () => {
      const { clientId, clientSecret } = clients.approved
      const forge = { api: 'orders', authenticated: true, client: { name: 'mallory' } }
      const own: App = {
        ...app,
        routes: { ...app.routes, 'ALL /limit-only': (on) => [on.limitBySla()], 'ALL /none': () => [] },
        forge,
      }
      const forged = await framework.start({ api: 'orders', store }, own)
      const good = await call(forged.url, { path: '/any', headers: withHeaders(clientId, clientSecret) ?? [] })
      expect(good.text).not.toContain('mallory')
      expect(seen(await call(forged.url, { path: '/none' })).admission).toBeUndefined()
      const limit = await call(forged.url, { path: '/limit-only' })
      expect(limit.status).toBe(500)
      expect(limit.json).toMatchObject({ code: 'ERR_CLIENTELE_NOT_PROTECTED' })
      await forged.close()
    })
  })

  describe('#48 a non-ASCII secret', () => {
    it('is one secret in every place and every encoding of it', async () => {
      const clientSecret = 'p\u00e4ssw\u00f6rd: 100% +1'
      const { client, clientId } = await registerClient(store, { name: 'umlaut', clientSecret, actor })
      await requestContract(store, { client: client.id, api: 'orders', tier: 'gold', actor })
      await approveContract(store, { client: client.id, api: 'orders', actor, ownRequest: true })
      const utf8 = Buffer.from(clientSecret).toString('latin1')
      const latin1Basic = Buffer.from(`${clientId}:${clientSecret}`, 'latin1').toString('base64')
      const formEncoded = new URLSearchParams({ s: clientSecret }).toString().slice(2)
      const ways: Call[] = [
        { headers: withHeaders(clientId, utf8) ?? [] },
        { headers: withHeaders(clientId, clientSecret) ?? [] },
        { headers: [basic(clientId, clientSecret)] },
        { headers: [['Authorization', `Basic ${latin1Basic}`]] },
        { headers: [basic(clientId, formEncoded)] },
        { path: `/any?client_id=${clientId}&client_secret=${formEncoded}` },
        { path: `/any?client_id=${clientId}&client_secret=${encodeURIComponent(clientSecret)}` },
      ]
      for (const [index, way] of ways.entries()) {
        expect([index, (await call(server.url, { path: '/any', ...way })).status]).toEqual([index, 200])
      }
    })
  })

  describe('#49 canaries', () => {
    it('come out in no answer, event, fault or request that the handler sees', async () => {
      const { approved } = clients
      const canary = `canary${createHash('sha256').update(framework.name).digest('hex')}`
      const attacks: Call[] = [
        { path: `/any?client_id=${approved.clientId}&client_secret=${canary}` },
        { path: `/any?client_id=${canary}&client_secret=${canary}` },
        { path: `/any?client_id[]=${canary}&client_secret=${canary}` },
        { path: '/any', headers: withHeaders(canary, canary) ?? [] },
        { path: '/any', headers: withHeaders(approved.clientId, canary, [['client-secret', canary]]) ?? [] },
        { path: '/any', headers: [basic(approved.clientId, canary)] },
        { path: '/any', headers: [['Authorization', `Basic ${canary}`]] },
      ]
      for (const attack of attacks) {
        const answer = await call(server.url, attack)
        expect(answer.status).toBeGreaterThanOrEqual(400)
        expect(`${answer.text}${JSON.stringify(answer.headers)}`).not.toContain(canary)
      }
      const good = await call(server.url, {
        path: '/any',
        headers: withHeaders(approved.clientId, approved.clientSecret) ?? [],
      })
      expect(good.text).not.toContain(approved.clientSecret)
      expect(inspect(events, { depth: 10, maxStringLength: null, maxArrayLength: null })).not.toMatch(
        new RegExp(`${canary}|${approved.clientSecret}`),
      )
    })

    it('come out in no fault of a store that fails, nor in its cause', async () => {
      const { approved } = clients
      const failing: ContractReader = {
        findClient: (identity) =>
          Promise.reject(new Error(`connect ${identity.clientId} with secret ${approved.clientSecret}`)),
        findContract: () => undefined,
        findTier: () => undefined,
      }
      const faults: unknown[] = []
      const broken = await framework.start(
        { api: 'orders', store: failing, onDecision: (event) => faults.push(event), faults: 'forward' },
        app,
      )
      const answer = await call(broken.url, {
        path: '/any',
        headers: withHeaders(approved.clientId, approved.clientSecret) ?? [],
      })
      await broken.close()
      expect([answer.status, (answer.json as { code: string }).code]).toEqual([503, 'ERR_CLIENTELE_STORE'])
      expect(`${answer.text}${inspect(faults, { depth: 10 })}`).not.toContain(approved.clientSecret)
    })
  })

  describe('#31 and #34 limits', () => {
    const onDisk = (): Counter & { close(): Promise<void>; path: string } => {
      const path = mkdtempSync(join(tmpdir(), 'clientele-thousand-'))
      return Object.assign(diskCounter({ path }), { path })
    }
    it.each([
      ['in memory', undefined],
      ['on disk', onDisk],
    ])('#31 a thousand concurrent requests at limit 50 admit exactly 50, counted %s', async (_name, open) => {
      const own = await seededStore(memoryStore(), 50)
      const { clientId, clientSecret } = own.clients.approved
      const counter = open?.()
      const limited = await framework.start({ api: 'orders', store: own.store, ...(counter && { counter }) }, app)
      const statuses = await Promise.all(
        Array.from({ length: 1000 }, () =>
          call(limited.url, { path: '/limited', headers: withHeaders(clientId, clientSecret) ?? [] }).then(
            ({ status }) => status,
          ),
        ),
      )
      await limited.close()
      await counter?.close()
      if (counter !== undefined) rmSync(counter.path, { recursive: true, force: true })
      expect(statuses.filter((status) => status === 200)).toHaveLength(50)
      expect(statuses.filter((status) => status === 429)).toHaveLength(950)
    })
  })
})
