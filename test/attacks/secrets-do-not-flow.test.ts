import { constants, sign } from 'node:crypto'
import { inspect } from 'node:util'
import {
  basicAuth,
  headers,
  linkIdentity,
  memoryCounter,
  memoryStore,
  query,
  rotateSecret,
  type ContractStore,
} from 'clientele'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { call, type Call } from '../support/call.js'
import { frameworks, type App, type Framework, type Running } from '../support/frameworks.js'
import { json, startKeyServer, type Behaviour, type KeyServer } from '../support/key-server.js'
import { rounds } from '../support/rounds.js'
import { seededStore, type SeededClient } from '../support/seeded-store.js'
import { base64url, rsaKey } from '../support/signed-jwt.js'

const key = rsaKey('key')
const bases = ['jwt', 'opaque'] as const
const places = ['bearer', 'query', 'form', 'header'] as const
const ways = ['headers', 'query', 'basic'] as const

/** All that is secret in one run. Another run has others, and is the same in everything else. */
interface Secrets {
  readonly ofOurs: string
  readonly client: string
  readonly wrong: string
  readonly tokens: Readonly<Record<`${(typeof bases)[number]} ${'good' | 'bad'}`, string>>
}

type Step =
  | { readonly do: 'issuer'; readonly health: keyof typeof troubles }
  | {
      readonly do: 'token'
      readonly base: (typeof bases)[number]
      readonly worth: 'good' | 'bad'
      readonly place: (typeof places)[number]
    }
  | { readonly do: 'client'; readonly isRight: boolean; readonly way: (typeof ways)[number] }
  | { readonly do: 'wait'; readonly ms: number }

/** What an issuer in trouble says: it repeats what it was told, which must not get into our mouth. */
const repeats =
  (code: number): Behaviour =>
  (request, response) => {
    const { authorization } = request.headers
    json({ error: 'server_error', error_description: `${request.body} ${authorization}` }, code)(request, response)
  }
const html: Behaviour = (request, response) => {
  response.writeHead(200, { 'content-type': 'text/html', 'x-said': request.body }).end(`<p>${request.body}</p>`)
}
const troubles = { up: undefined, failing: repeats(500), 'not knowing us': repeats(401), 'talking nonsense': html }

const place = fc.constantFrom(...places)
const health = fc.constantFrom<keyof typeof troubles>('up', 'failing', 'not knowing us', 'talking nonsense')
const ofIssuer = fc.record({ do: fc.constant('issuer' as const), health })
const ofToken = (base: fc.Arbitrary<(typeof bases)[number]>) =>
  fc.record({ do: fc.constant('token' as const), base, worth: fc.constantFrom('good' as const, 'bad' as const), place })
const ofClient = fc.record({
  do: fc.constant('client' as const),
  isRight: fc.boolean(),
  way: fc.constantFrom(...ways),
})
const ofWaiting = fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 100_000 }) })

/** Single steps, and what would rarely come together by chance: a trouble, and a token whose answer is forgotten. */
const scripts: fc.Arbitrary<Step[]> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.tuple(ofToken(fc.constantFrom(...bases))) },
      { weight: 3, arbitrary: fc.tuple(ofClient) },
      { weight: 1, arbitrary: fc.tuple(ofWaiting) },
      {
        weight: 3,
        arbitrary: fc.tuple(
          ofIssuer,
          fc.constant({ do: 'wait' as const, ms: 100_000 }),
          ofToken(fc.constant('opaque' as const)),
        ),
      },
    ),
    { minLength: 5, maxLength: 20, size: 'max' },
  )
  .map((parts) => parts.flat())

const text = fc.stringMatching(/^[A-Za-z0-9_-]{24,80}$/)
const texts = fc.record({ ofOurs: fc.stringMatching(/^[!-~]{24,80}$/), wrong: text, good: text, bad: text, tail: text })

describe('property 4: what differs only in a secret looks the same', () => {
  let issuer: KeyServer
  let store: ContractStore
  let client: SeededClient
  let secrets: readonly [string, string]
  const startedMs = Date.now()

  beforeAll(async () => {
    issuer = await startKeyServer()
    const seeded = await seededStore(memoryStore())
    store = seeded.store
    client = seeded.clients.approved
    await linkIdentity(store, { client: client.id, issuer: issuer.url, clientId: client.clientId, actor: 'test' })
    const { clientSecret } = await rotateSecret(store, { client: client.id, overlapSeconds: 86_400, actor: 'test' })
    secrets = [client.clientSecret, clientSecret]
  })
  afterAll(() => issuer.close())
  afterEach(() => {
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  const claims = (): string => {
    const [exp, { clientId }] = [Math.floor(startedMs / 1000) + 7200, client]
    return JSON.stringify({ iss: issuer.url, aud: 'orders', client_id: clientId, exp })
  }

  /** PS256 signs the same in another way each time: nothing else of the token differs. */
  function signedJwt(): string {
    const input = `${base64url(JSON.stringify({ alg: 'PS256', kid: 'key', typ: 'at+jwt' }))}.${base64url(claims())}`
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    return `${input}.${base64url(sign('sha256', Buffer.from(input), { key: key.privateKey, ...padding }))}`
  }

  function secretsOf(index: 0 | 1, { ofOurs, wrong, good, bad, tail }: Record<string, string>): Secrets {
    const jwt = signedJwt()
    const forged = `${jwt.slice(0, jwt.lastIndexOf('.'))}.${base64url(Buffer.alloc(256, String(tail)))}`
    return {
      ofOurs: String(ofOurs),
      wrong: String(wrong),
      client: secrets[index],
      tokens: { 'jwt good': jwt, 'jwt bad': forged, 'opaque good': `g${good}`, 'opaque bad': `b${bad}` },
    }
  }

  function routes({ ofOurs }: Secrets): App['routes'] {
    const from = ['bearer', { query: 'token' }, { form: 'token' }, { header: 'x-token' }] as const
    const usual = { issuer: issuer.url, audience: 'orders', allowInsecureRequests: true, from }
    const as = { clientId: 'orders-api', clientSecret: ofOurs }
    const { jwk } = key
    return {
      'ALL /jwt': (on) => [
        on.validateJwt({ ...usual, jwks: { keys: [{ ...jwk, alg: 'PS256' }] }, algorithms: ['PS256'] }),
      ],
      'ALL /opaque': (on) => [on.introspectToken({ ...usual, as, endpoint: `${issuer.url}/introspect` })],
      'ALL /id': (on) => [on.enforceClientId({ from: [headers(), query(), basicAuth()] }), on.limitBySla()],
    }
  }

  function requestOf(each: Exclude<Step, { do: 'issuer' | 'wait' }>, { tokens, ...known }: Secrets): Call {
    if (each.do === 'client') return withSecret(each.way, client.clientId, each.isRight ? known.client : known.wrong)
    return withToken(each.place, `/${each.base}`, tokens[`${each.base} ${each.worth}`])
  }

  /** Everything that anybody can see of one run. */
  async function seen(framework: Framework, script: readonly Step[], known: Secrets): Promise<string> {
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: startedMs })
    // How long to leave an issuer alone goes by chance.
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const happened: unknown[] = []
    const printed = watchOutput(happened)
    let trouble: Behaviour | undefined
    issuer.on('/introspect', (request, response) => {
      const isGood = new URLSearchParams(request.body).get('token') === known.tokens['opaque good']
      const answer = json(isGood ? { active: true, client_id: client.clientId, aud: 'orders' } : { active: false })
      ;(trouble ?? answer)(request, response)
    })
    const onDecision = (event: object): void => void happened.push(event)
    const options = { api: 'orders', store, counter: memoryCounter(), onDecision, onIssuerEvent: onDecision }
    const server: Running = await framework.start(options, { routes: routes(known) })
    try {
      for (const each of script) {
        if (each.do === 'issuer') trouble = troubles[each.health]
        else if (each.do === 'wait') vi.advanceTimersByTime(each.ms)
        else happened.push(await answerTo(server, requestOf(each, known)))
      }
    } finally {
      await server.close()
      printed.stop()
      vi.useRealTimers()
    }
    const text = happened
      .map((each) => inspect(each, { depth: 10, maxStringLength: null, breakLength: 200 }))
      .join('\n')
    // Each run has a server of its own; stacks name places in our code.
    return text.replaceAll(new URL(server.url).port, 'PORT').replaceAll(/^ +at .*$/gm, '')
  }

  it.each(frameworks)(
    '$name: answers, events, faults, output, and what handlers see',
    { timeout: 120_000 },
    async (framework) => {
      const property = fc.asyncProperty(scripts, texts, texts, async (script, one, other) => {
        const [first, second] = [secretsOf(0, one), secretsOf(1, other)]
        const [seenFirst, seenSecond] = [await seen(framework, script, first), await seen(framework, script, second)]
        expect(seenSecond).toBe(seenFirst)
        for (const { ofOurs, wrong, client: right, tokens } of [first, second]) {
          for (const secret of [ofOurs, wrong, right, ...Object.values(tokens)]) expect(seenFirst).not.toContain(secret)
        }
      })
      await fc.assert(property, { seed: 20_261_122, numRuns: rounds(10, 30), endOnFailure: true })
    },
  )
})

function withToken(place: (typeof places)[number], path: string, token: string): Call {
  if (place === 'bearer') return { path, headers: [['Authorization', `Bearer ${token}`]] }
  if (place === 'header') return { path, headers: [['X-Token', token]] }
  if (place === 'query') return { path: `${path}?before=1&token=${token}&after=2` }
  const headers = [['Content-Type', 'application/x-www-form-urlencoded']] as const
  return { path, method: 'POST', headers, body: `before=1&token=${token}&after=2` }
}

function withSecret(way: (typeof ways)[number], id: string, secret: string): Call {
  const path = '/id'
  const pair = Buffer.from(`${id}:${secret}`).toString('base64')
  if (way === 'basic') return { path, headers: [['Authorization', `Basic ${pair}`]] }
  if (way === 'query') return { path: `${path}?client_id=${id}&client_secret=${secret}&x=1` }
  return {
    path,
    headers: [
      ['client_id', id],
      ['client_secret', secret],
    ],
  }
}

async function answerTo(server: Running, request: Call): Promise<object> {
  const { status, headers, text } = await call(server.url, request)
  // Node's own, by a clock that is not ours; and a digest of the text, in which the port of this run stands.
  const { date: _date, etag: _etag, ...rest } = headers
  return { status, headers: rest, text }
}

/** What the process says besides: warnings, and whatever is written. */
function watchOutput(said: unknown[]): { stop: () => void } {
  const warn = (warning: Error): void => void said.push(warning.message)
  process.on('warning', warn)
  const streams = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      said.push(String(chunk))
      return true
    }),
  )
  return {
    stop: () => {
      process.off('warning', warn)
      for (const stream of streams) stream.mockRestore()
    },
  }
}
