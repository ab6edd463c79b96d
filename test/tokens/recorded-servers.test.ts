import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { IntrospectTokenOptions } from '../../src/policies/introspection-options.js'
import { introspectToken } from '../../src/policies/introspect-token.js'
import { tokenEngines } from '../../src/tokens/engines.js'
import type { IssuerEvent } from '../../src/tokens/issuer-event.js'
import { decideOn } from '../support/bearer-request.js'
import { faultOf } from '../support/fault-of.js'
import { startKeyServer, type KeyServer } from '../support/key-server.js'
import { contextOf, ownReader, type OwnReader } from '../support/own-reader.js'
import { nowSeconds } from '../support/signed-jwt.js'

/** As a server has answered: its status, its media type, what else stood in its header, its body. */
interface Recorded {
  readonly status: number
  readonly type?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

type Expected = 'admitted' | 'token_invalid' | { readonly reason: string }

const client = 'orders-client'
const json = 'application/json'
const html = 'text/html; charset=utf-8'
const page = '<html><body><h1>403 Forbidden</h1></body></html>'
const exp = nowSeconds() + 3600
const credentials = { reason: 'credentials' }

/** These two servers are not started here: what they say is what they have said to us. */
const servers: Record<
  string,
  readonly [what: string, answer: Recorded, expected: Expected, audience: null | 'orders'][]
> = {
  'LemonLDAP::NG 2.16': [
    [
      'a good token, with its issuer that ends in a slash and no token_type',
      {
        status: 200,
        type: `${json}; charset=utf-8`,
        body: { active: true, sub: 'dwho', scope: 'openid', client_id: client, iss: 'SELF/', exp },
      },
      'admitted',
      null,
    ],
    ['a token that it does not know', { status: 200, type: json, body: { active: false } }, 'token_invalid', null],
    [
      'our wrong secret',
      { status: 401, type: json, headers: { 'www-authenticate': 'Basic' }, body: { error: 'invalid_client' } },
      credentials,
      null,
    ],
    ['no authentication', { status: 400, type: json, body: { error: 'invalid_request' } }, { reason: 'status' }, null],
  ],
  'django-oauth-toolkit 1.7': [
    [
      'a good token, of which it says little',
      { status: 200, type: json, body: { active: true, scope: 'read', exp, client_id: client } },
      'admitted',
      null,
    ],
    [
      'the same where an audience is asked for, which it never names',
      { status: 200, type: json, body: { active: true, scope: 'read', exp, client_id: client } },
      'token_invalid',
      'orders',
    ],
    ['our wrong secret', { status: 403, type: html, body: page }, credentials, null],
    ['our wrong secret, without a body', { status: 403 }, credentials, null],
    ['no token parameter', { status: 200, type: json, body: { active: false } }, 'token_invalid', null],
  ],
  'endpoints that are not RFC 7662': [
    [
      'a token that is over at this moment',
      { status: 200, type: 'application/json; charset=UTF-8', body: { client_id: client, expires_in: 0 } },
      'token_invalid',
      null,
    ],
    [
      'a good one',
      { status: 200, type: 'application/json; charset=UTF-8', body: { client_id: client, expires_in: 60 } },
      'admitted',
      null,
    ],
  ],
}

describe.each(Object.entries(servers))('%s, by answers that were recorded', (name, rows) => {
  let server: KeyServer
  let reader: OwnReader
  let events: IssuerEvent[]
  beforeAll(async () => {
    server = await startKeyServer()
  })
  afterAll(() => server.close())
  beforeEach(() => {
    events = []
    reader = ownReader()
    reader.register(`${server.url}/`, client)
  })

  function policyOf(audience: null | 'orders') {
    const context = { ...contextOf(reader), tokens: tokenEngines((event) => events.push(event)) }
    const options: IntrospectTokenOptions = {
      issuer: `${server.url}/`,
      endpoint: `${server.url}/introspect`,
      as: { clientId: 'orders-api', clientSecret: 'secret' },
      audience,
      allowInsecureRequests: true,
      ...(name.startsWith('endpoints') && { tokenInfo: { method: 'POST', parameter: 'token' } }),
    }
    return introspectToken(context, options)
  }

  function says({ status, type, headers, body }: Recorded): void {
    server.on('/introspect', (_request, response) => {
      const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body)
      response.writeHead(status, { ...(type !== undefined && { 'content-type': type }), ...headers })
      response.end(text.replaceAll('SELF', server.url))
    })
  }

  it.each(rows)('%s', async (_what, answer, expected, audience) => {
    says(answer)
    const policy = policyOf(audience)
    const before = server.count('/introspect')
    if (typeof expected === 'string') {
      expect(await decideOn(policy, 'token')).toBe(expected)
      expect(events).toEqual([])
      return
    }
    const fault = { code: 'ERR_CLIENTELE_ISSUER', status: 503, ...expected }
    expect(await faultOf(() => decideOn(policy, 'token'))).toMatchObject(fault)
    expect(events).toMatchObject([{ kind: 'introspection_failed', ...expected }])
    for (let count = 0; count < 20; count += 1) await faultOf(() => decideOn(policy, `token-${count}`))
    expect(server.count('/introspect') - before).toBe(expected === credentials ? 1 : 5)
  })
})
