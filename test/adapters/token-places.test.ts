import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bearer, codeOf, type Headers } from '../attacks/attacked.js'
import { call, type Answer } from '../support/call.js'
import { frameworks, type App, type Running, type Seen } from '../support/frameworks.js'
import { ownReader } from '../support/own-reader.js'
import { rsaKey, startTokenIssuer, type TokenIssuer } from '../support/token-issuer.js'

const key = rsaKey('key')
let issuer: TokenIssuer

beforeAll(async () => {
  issuer = await startTokenIssuer()
})
afterAll(() => issuer.close())

describe.each(frameworks)('$name: where a token may stand', (framework) => {
  let server: Running
  beforeAll(async () => {
    const reader = ownReader()
    reader.register(issuer.url, 'orders-client')
    const options = {
      issuer: issuer.url,
      audience: 'orders',
      allowInsecureRequests: true,
      jwks: { keys: [key.jwk] },
    }
    const everywhere = [
      'bearer',
      { header: 'X-Access-Token' },
      { query: 'access_token' },
      { form: 'access_token' },
    ] as const
    const routes: App['routes'] = {
      'ALL /usual': (on) => [on.validateJwt(options)],
      'ALL /everywhere': (on) => [on.validateJwt({ ...options, from: everywhere })],
      'ALL /query': (on) => [on.validateJwt({ ...options, from: [{ query: 'token' }] })],
      'ALL /kept': (on) => [on.validateJwt({ ...options, from: everywhere, strip: 'none' })],
      'ALL /small': (on) => [
        on.validateJwt({ ...options, from: ['bearer', { form: 'access_token', maxBytes: 2000 }] }),
      ],
      'ALL /any': (on) => [on.anyOf(on.validateJwt({ ...options, from: everywhere }), on.enforceClientId())],
    }
    const touch: App['touch'] = (set) => {
      set('Cache-Control', 'public, max-age=60')
    }
    server = await framework.start({ api: 'orders', store: reader }, { routes, touch })
  })
  afterAll(() => server.close())

  const token = (claims: object = {}): string => issuer.token(key, claims)
  const post = (path: string, fields: Headers, body?: string): Promise<Answer> =>
    call(server.url, { path, method: 'POST', headers: fields, ...(body !== undefined && { body }) })
  const form: Headers = [['Content-Type', 'application/x-www-form-urlencoded']]
  const json: Headers = [['Content-Type', 'application/json']]
  const seen = (answer: Answer): Seen => answer.json as Seen

  it('a header of its own name, which goes to no handler and into Vary', async () => {
    const value = token()
    const answer = await post('/everywhere', [['x-access-TOKEN', value]])
    expect(answer.status).toBe(200)
    expect(answer.text).not.toContain(value)
    expect(answer.headers['cache-control']).toBe('private, max-age=60')
    expect(answer.headers['vary']?.toLowerCase()).toContain('x-access-token')
  })

  it('a query parameter, which is taken out of every form of the address', async () => {
    const value = token()
    const answer = await call(server.url, { path: `/everywhere?a=1&access_token=${value}&b=2` })
    expect(answer.status).toBe(200)
    expect(answer.text).not.toContain(value)
    expect(seen(answer).originalUrl).toBe('/everywhere?a=1&b=2')
    expect(answer.headers['cache-control']).toBe('private, max-age=60')
  })

  it('a field of a form', async () => {
    const value = token()
    const answer = await post('/everywhere', form, `a=1&access_token=${value}`)
    expect(answer.status).toBe(200)
    expect(answer.text).not.toContain(value)
    expect(
      (
        await post(
          '/everywhere',
          [['Content-Type', 'APPLICATION/x-www-form-urlencoded; charset=UTF-8']],
          `access_token=${value}`,
        )
      ).status,
    ).toBe(200)
  })

  it('Authorization as ever, whose answers caches know to be personal', async () => {
    const answer = await post('/everywhere', bearer(token()))
    expect(answer.status).toBe(200)
    expect(answer.headers['cache-control']).toBe('public, max-age=60')
    expect(answer.headers['vary']).toBeUndefined()
  })

  it('nowhere else, unless it is written', async () => {
    for (const answer of [
      await call(server.url, { path: `/usual?access_token=${token()}` }),
      await post('/usual', [['X-Access-Token', token()]]),
      await post('/usual', form, `access_token=${token()}`),
      await post('/query', bearer(token())),
      await post('/everywhere', json, JSON.stringify({ access_token: token() })),
      await post('/everywhere', [], `access_token=${token()}`),
      await call(server.url, { path: '/everywhere', headers: form, body: `access_token=${token()}` }),
    ]) {
      expect(codeOf(answer)).toEqual([401, 'token_missing'])
    }
    expect((await call(server.url, { path: `/query?token=${token()}` })).status).toBe(200)
  })

  it('two at once are 400, were they the same, and were one of them bad', async () => {
    const [value, bad] = [token(), token({ exp: 1 })]
    const pairs: [string, Headers, string | undefined][] = [
      [`?access_token=${value}`, bearer(value), undefined],
      [`?access_token=${bad}`, bearer(value), undefined],
      [`?access_token=${value}`, bearer(bad), undefined],
      ['', [...bearer(value), ['X-Access-Token', value]], undefined],
      ['', [...bearer(value), ...form], `access_token=${value}`],
      [`?access_token=${value}`, form, `access_token=${value}`],
      [`?access_token=${value}&access_token=${value}`, [], undefined],
      [
        '',
        [
          ['X-Access-Token', value],
          ['X-Access-Token', value],
        ],
        undefined,
      ],
    ]
    for (const [query, fields, body] of pairs) {
      expect(codeOf(await post(`/everywhere${query}`, fields, body))).toEqual([400, 'credentials_ambiguous'])
    }
    expect(codeOf(await post('/everywhere', form, `access_token=${value}&access_token=${value}`))[0]).toBe(400)
  })

  it('what is no token is 400, and never looked for elsewhere', async () => {
    const value = token()
    for (const [query, fields, body] of [
      ['?access_token=', [], undefined],
      ['?access_token=a%20b', [], undefined],
      ['?access_token=t%C3%B6k%C3%A9n', [], undefined],
      ['', form, `access_token=${'a'.repeat(20_000)}`],
      ['', [['X-Access-Token', `Bearer ${value}`]], undefined],
      ['', [['X-Access-Token', '']], undefined],
      ['', form, 'access_token='],
      ['?access_token=', bearer(value), undefined],
      ['', [...bearer(value), ['X-Access-Token', 'a b']], undefined],
    ] as [string, Headers, string | undefined][]) {
      const answer = await post(`/everywhere${query}`, fields, body)
      expect(codeOf(answer), JSON.stringify([query.slice(0, 40), fields, body])).toEqual([400, 'credentials_malformed'])
      expect(answer.fields('www-authenticate')).toEqual(['Bearer realm="orders", error="invalid_request"'])
    }
  })

  it('a form that is too large to look into is 413, whatever stands beside it', async () => {
    const padded = `x=${'y'.repeat(3000)}`
    for (const fields of [form, [...form, ...bearer(token())]]) {
      expect(codeOf(await post('/small', fields, padded))).toEqual([413, 'body_too_large'])
    }
    expect((await post('/small', [...json, ...bearer(token())], JSON.stringify({ padded }))).status).toBe(200)
  })

  it('a form that a digest covers is 400, since the token could not be taken out of it', async () => {
    const sealed: Headers = [...form, ['Content-Digest', 'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:']]
    expect(codeOf(await post('/everywhere', sealed, `access_token=${token()}`))).toEqual([400, 'credentials_malformed'])
    expect((await post('/everywhere', [...sealed, ...bearer(token())], 'a=1')).status).toBe(200)
  })

  it('what is turned away is stripped too, and what is not to be stripped is not', async () => {
    const value = token()
    expect((await call(server.url, { path: `/kept?access_token=${value}` })).text).toContain(value)
    const missing = await call(server.url, { path: '/everywhere?access_token=opaque' })
    expect(codeOf(missing)).toEqual([401, 'token_invalid'])
  })

  it('41: beside other credentials it is one too many in anyOf', async () => {
    const client: Headers = [
      ['client_id', 'a'],
      ['client_secret', 'b'],
    ]
    const value = token()
    expect((await call(server.url, { path: `/any?access_token=${value}` })).status).toBe(200)
    expect(codeOf(await call(server.url, { path: `/any?access_token=${value}`, headers: client }))).toEqual([
      400,
      'credentials_ambiguous',
    ])
    expect(codeOf(await post('/any', [...form, ...client], `access_token=${value}`))).toEqual([
      400,
      'credentials_ambiguous',
    ])
  })

  it.each([
    [[]],
    [['Bearer']],
    [[{ header: 'Authorization' }]],
    [[{ header: 'a b' }]],
    [[{ query: '' }]],
    [['bearer', 'bearer']],
    [[{ header: 'X-A' }, { header: 'x-a' }]],
    [[{ form: 'a', maxBytes: 0 }]],
  ])('from: %j is refused at construction', (from) => {
    const start = () =>
      framework.start(
        { api: 'orders', store: ownReader() },
        {
          routes: {
            'ALL /': (on) => [
              on.validateJwt({ issuer: 'https://issuer.example', audience: 'orders', from: from as never }),
            ],
          },
        },
      )
    expect(start).toThrow(/from/)
  })
})
