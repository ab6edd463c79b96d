import { setTimeout as realSleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { introspectToken } from '../../src/policies/introspect-token.js'
import { validateJwt } from '../../src/policies/validate-jwt.js'
import { decideOn } from '../support/bearer-request.js'
import { json, outages, startKeyServer, status, type KeyServer } from '../support/key-server.js'
import { contextOf, ownReader, type OwnReader } from '../support/own-reader.js'
import { rounds } from '../support/rounds.js'
import { nowSeconds, rsaKey, signText } from '../support/signed-jwt.js'

const [freshSeconds, staleSeconds] = [60, 120]
const [maxAgeSeconds, inactiveMaxAgeSeconds] = [20, 5]
/** For as long a name that a fetch of keys did not bring is not asked for again. */
const missingSeconds = 5
const longestBackOffSeconds = 60
const clientId = 'orders-client'
const keys = { a: rsaKey('a'), b: rsaKey('b') }
const stranger = rsaKey('a')

type Kid = keyof typeof keys
type Standing = 'approved' | 'revoked' | 'pending'
type Word = 'good' | 'token_invalid'
const failures = ['500', '503', 'html', 'a closed connection', 'null', '401'] as const
type Health = 'up' | (typeof failures)[number]

/** What is true at the issuer for a while. */
interface Truth {
  readonly health: Health
  readonly published: readonly Kid[]
  readonly active: readonly string[]
}

type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'issuer'; readonly change: Partial<Truth> }
  | { readonly do: 'contract'; readonly standing: Standing }
  | { readonly do: 'decide'; readonly on: readonly TokenName[] }

const jwts = ['by a', 'by b', 'by a, ending', 'forged'] as const
const opaques = ['one', 'two', 'ending'] as const
type TokenName = (typeof jwts)[number] | (typeof opaques)[number]
const endsAfterSeconds = 90

const published = fc.constantFrom<readonly Kid[]>(['a'], ['a', 'b'], ['b'])
const health = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Health>('up') },
  { weight: 1, arbitrary: fc.constantFrom<Health>(...failures) },
)
const change: fc.Arbitrary<Partial<Truth>> = fc.oneof(
  fc.record({ published }),
  fc.record({ active: fc.subarray([...opaques]) }),
  fc.record({ health }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 90_000 })),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('issuer' as const), change }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('contract' as const),
      standing: fc.constantFrom<Standing>('approved', 'approved', 'revoked', 'pending'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('decide' as const),
      on: fc.subarray<TokenName>([...jwts, ...opaques], { minLength: 1 }),
    }),
  },
)

/** An issuer with its whole history, which a real server tells of as it is now. */
class Issuer {
  readonly history: { readonly from: number; readonly truth: Truth }[] = [
    { from: -Infinity, truth: { health: 'up', published: ['a'], active: [...opaques] } },
  ]
  /** A whole second, as `exp` is. */
  readonly endsAtMs = (nowSeconds() + endsAfterSeconds) * 1000

  constructor(server: KeyServer) {
    server.on('/jwks', (request, response) => {
      const { health, published } = this.now
      const answer = health === 'up' ? json({ keys: published.map((kid) => keys[kid].jwk) }) : failing(health)
      answer(request, response)
    })
    server.on('/introspect', (request, response) => {
      const { health, active } = this.now
      const token = new URLSearchParams(request.body).get('token') ?? ''
      const good = { active: true, client_id: clientId, aud: 'orders' }
      const exp = token === 'ending' ? { exp: Math.floor(this.endsAtMs / 1000) } : {}
      const answer = json(active.includes(token) ? { ...good, ...exp } : { active: false })
      ;(health === 'up' ? answer : failing(health))(request, response)
    })
  }

  get now(): Truth {
    const last = this.history.at(-1)
    if (last === undefined) throw new Error('no history')
    return last.truth
  }

  become(change: Partial<Truth>): void {
    this.history.push({ from: performance.now(), truth: { ...this.now, ...change } })
  }

  /** All that was true at some moment of the last seconds. */
  since(begunAt: number, seconds: number): readonly Truth[] {
    const earliest = begunAt - seconds * 1000
    return this.history
      .filter((_, index) => (this.history[index + 1]?.from ?? Infinity) >= earliest)
      .map(({ truth }) => truth)
  }

  failedSince(begunAt: number, seconds: number): boolean {
    return this.since(begunAt, seconds).some(({ health }) => health !== 'up')
  }
}

function failing(health: Exclude<Health, 'up'>) {
  return (health === '401' ? status(401) : outages[health]) ?? status(500)
}

function isOpaque(name: TokenName): name is (typeof opaques)[number] {
  return (opaques as readonly string[]).includes(name)
}

/** What a token is worth at the issuer, to whoever asks it at that moment. */
function worthOf(name: TokenName, { health, published, active }: Truth): Word | 'fault' {
  if (health !== 'up') return 'fault'
  if (name === 'forged') return 'token_invalid'
  const isGood = isOpaque(name) ? active.includes(name) : published.includes(name === 'by b' ? 'b' : 'a')
  return isGood ? 'good' : 'token_invalid'
}

/** How old a truth may be that a decision stands on. `staleAnswerSeconds`: of opaque tokens. */
function boundOf(name: TokenName, word: Word, isTroubled: boolean, staleAnswerSeconds: number): number {
  if (isOpaque(name)) {
    return word === 'good' ? maxAgeSeconds + (isTroubled ? staleAnswerSeconds : 0) : inactiveMaxAgeSeconds
  }
  if (isTroubled) return freshSeconds + staleSeconds
  return word === 'good' || name === 'forged' ? freshSeconds : missingSeconds
}

interface Decided {
  readonly name: TokenName
  readonly word: string
  readonly begunAt: number
  readonly begunMs: number
}

function judge(issuer: Issuer, standing: Standing, staleAnswerSeconds: number, decided: Decided): void {
  const { name, word, begunAt, begunMs } = decided
  const what = `${name}: ${word} at ${begunAt}`
  const longest = isOpaque(name) ? maxAgeSeconds + staleAnswerSeconds : freshSeconds + staleSeconds
  if (word === 'fault') {
    expect(issuer.failedSince(begunAt, longestBackOffSeconds), `${what}: for nothing`).toBe(true)
    return
  }
  const isEnding = name === 'ending' || name === 'by a, ending'
  if (isEnding && begunMs >= issuer.endsAtMs) expect(word, what).toBe('token_invalid')
  if (isEnding && Date.now() >= issuer.endsAtMs && word === 'token_invalid') return
  const worth = word === 'token_invalid' ? 'token_invalid' : 'good'
  const bound = boundOf(name, worth, issuer.failedSince(begunAt, longest), staleAnswerSeconds)
  const worths = issuer.since(begunAt, bound).map((truth) => worthOf(name, truth))
  expect(worths, `${what}: was never so in the last ${bound} s`).toContain(worth)
  // Never remembered: what the store says of the contract at this moment.
  if (worth === 'good') expect(word, what).toBe(standing === 'approved' ? 'admitted' : `contract_${standing}`)
}

describe('property 4: a cache of tokens is invisible within its bounds', () => {
  let server: KeyServer
  let reader: OwnReader
  beforeAll(async () => {
    server = await startKeyServer()
  })
  afterAll(() => server.close())
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function deciderOf(issuer: Issuer, staleAnswerSeconds: number, isForgetful = false) {
    const usual = {
      issuer: server.url,
      audience: 'orders',
      allowInsecureRequests: true,
      clockToleranceSeconds: 0,
      ...{ freshSeconds, staleSeconds },
      ...(isForgetful && { remember: { entries: 0 } }),
    }
    const context = contextOf(reader)
    const jwt = validateJwt(context, { ...usual, jwksUri: `${server.url}/jwks`, algorithms: ['RS256'] })
    const opaque = introspectToken(context, {
      ...usual,
      endpoint: `${server.url}/introspect`,
      as: { clientId: 'api', clientSecret: 'secret' },
      maxAgeSeconds: isForgetful ? 0 : maxAgeSeconds,
      inactiveMaxAgeSeconds: isForgetful ? 0 : inactiveMaxAgeSeconds,
      staleAnswerSeconds,
    })
    const texts = tokensOf(server.url, issuer.endsAtMs)
    return (name: TokenName) => wordOf(isOpaque(name) ? decideOn(opaque, name) : decideOn(jwt, texts[name]))
  }

  async function play(script: readonly Step[], staleAnswerSeconds: number): Promise<void> {
    const issuer = new Issuer(server)
    reader = ownReader()
    reader.register(server.url, clientId)
    let standing: Standing = 'approved'
    const decide = deciderOf(issuer, staleAnswerSeconds)
    for (const each of script) {
      if (each.do === 'wait') await vi.advanceTimersByTimeAsync(each.ms)
      if (each.do === 'issuer') issuer.become(each.change)
      if (each.do === 'contract') reader.register(server.url, clientId, (standing = each.standing))
      if (each.do === 'decide') {
        const [begunAt, begunMs] = [performance.now(), Date.now()]
        const words = await settled(Promise.all(each.on.map(decide)))
        for (const [index, name] of each.on.entries()) {
          judge(issuer, standing, staleAnswerSeconds, { name, word: words[index] ?? '', begunAt, begunMs })
        }
      }
    }
    // The judge is one only if it knows what is decided by who remembers nothing.
    const forgetful = deciderOf(issuer, 0, true)
    for (const name of [...jwts, ...opaques]) {
      const word = await settled(forgetful(name))
      const isOver = name.endsWith('ending') && Date.now() >= issuer.endsAtMs
      const good = standing === 'approved' ? 'admitted' : `contract_${standing}`
      const worth = worthOf(name, issuer.now)
      const expected = worth === 'good' ? good : worth
      if (isOver && (!isOpaque(name) || worth === 'good')) expect(word, name).toBe('token_invalid')
      else expect(word, name).toBe(expected)
    }
  }

  it('whatever is rotated, revoked, ended, changed or down', { timeout: 120_000 }, async () => {
    const scripts = fc.array(step, { minLength: 10, maxLength: 40, size: 'max' })
    const property = fc.asyncProperty(scripts, fc.constantFrom(0, 30), play)
    await fc.assert(property, { seed: 20_261_122, numRuns: rounds(25, 60) })
  })
})

function tokensOf(issuer: string, endsAtMs: number): Readonly<Record<(typeof jwts)[number], string>> {
  const token = (kid: Kid, exp: number, key = keys[kid]): string => {
    const header = JSON.stringify({ alg: 'RS256', typ: 'at+jwt', kid })
    return signText(header, JSON.stringify({ iss: issuer, aud: 'orders', client_id: clientId, exp }), key)
  }
  const far = nowSeconds() + 100_000_000
  return {
    'by a': token('a', far),
    'by b': token('b', far),
    'by a, ending': token('a', Math.floor(endsAtMs / 1000)),
    forged: token('a', far, stranger),
  }
}

async function wordOf(decision: Promise<string>): Promise<string> {
  try {
    return await decision
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_CLIENTELE_ISSUER', status: 503 })
    return 'fault'
  }
}

/** Sockets go by the true time, and what waits on purpose by the played one: that goes on where nothing comes. */
async function settled<T>(work: Promise<T>): Promise<T> {
  const over = work.then(
    () => true,
    () => true,
  )
  while (!(await Promise.race([over, realSleep(25, false)]))) await vi.advanceTimersByTimeAsync(50)
  return work
}
