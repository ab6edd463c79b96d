import { createHash, X509Certificate } from 'node:crypto'
import { Agent, request } from 'node:https'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClientCertificateOption } from 'clientele'
import type { ClienteleOptions, ValidateJwtOptions } from '../../src/clientele.js'
import { answerOf, call, type Answer } from '../support/call.js'
import { selfSigned, type Certified } from '../support/certificate.js'
import { frameworks, type Running } from '../support/frameworks.js'
import { json, startKeyServer, type KeyServer } from '../support/key-server.js'
import { ownReader, type OwnReader } from '../support/own-reader.js'
import { accessToken, attackedIssuer, type AttackedIssuer } from '../support/token-attacks.js'
import { bearer, expectRefusal, type Headers } from './attacked.js'

const server = selfSigned('server')
const client = selfSigned('client')
const stranger = selfSigned('stranger')
const rawOf = ({ certificate }: Certified): Buffer => new X509Certificate(certificate).raw
const thumbprintOf = (one: Certified): string => createHash('sha256').update(rawOf(one)).digest('base64url')

let issuer: KeyServer
let target: AttackedIssuer
let reader: OwnReader

beforeAll(async () => {
  issuer = await startKeyServer()
  target = attackedIssuer(issuer.url, `${issuer.url}/trap`)
  reader = ownReader()
  reader.register(target.issuer, target.clientId)
})
afterAll(() => issuer.close())

const common = () => ({ issuer: target.issuer, audience: target.audience, allowInsecureRequests: true })
const jwtOptions = (): ValidateJwtOptions => ({ ...common(), jwks: { keys: [target.key.jwk] } })
const bound = (to: Certified = client, more: object = {}): string =>
  accessToken(target, { cnf: { 'x5t#S256': thumbprintOf(to), ...more } })

describe.each(frameworks)('$name', (framework) => {
  describe('the certificate of the connection', () => {
    let running: Running

    beforeAll(async () => {
      const tls = {
        key: server.privateKey,
        cert: server.certificate,
        requestCert: true,
        // RFC 8705 §6.2: self-signed ones too, since the token names the very certificate.
        rejectUnauthorized: false,
      }
      const opaque = {
        ...common(),
        endpoint: `${issuer.url}/introspect`,
        as: { clientId: 'orders-api', clientSecret: 'introspection-secret' },
      }
      running = await framework.start(
        { api: 'orders', store: reader, trustedProxies: ['127.0.0.1'] },
        {
          routes: {
            'ALL /tls': (on) => [on.validateJwt({ ...jwtOptions(), clientCertificate: 'tls' })],
            'ALL /only': (on) => [
              on.validateJwt({ ...jwtOptions(), clientCertificate: 'tls', senderConstrained: 'required' }),
            ],
            'ALL /plain': (on) => [on.validateJwt(jwtOptions())],
            'ALL /opaque': (on) => [on.introspectToken({ ...opaque, clientCertificate: 'tls' })],
            'ALL /opaque-plain': (on) => [on.introspectToken(opaque)],
          },
        },
        tls,
      )
    })
    afterAll(() => running.close())

    const send = (path: string, fields: Headers, as?: Certified, agent?: Agent): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(running.url)
        const own = as && { cert: as.certificate, key: as.privateKey }
        const options = {
          hostname,
          port,
          path,
          headers: ['Host', `127.0.0.1:${port}`, ...fields.flat()],
          ca: server.certificate,
          ...own,
        }
        request({ ...options, agent: agent ?? false }, (response) => {
          answerOf(response).then(resolve, reject)
        })
          .on('error', reject)
          .end()
      })

    it('lets in whom the token is bound to, and nobody else', async () => {
      const token = bound()
      for (let round = 0; round < 2; round += 1) {
        expect((await send('/tls', bearer(token), client)).status).toBe(200)
        expectRefusal(await send('/tls', bearer(token), stranger), 401, 'token_invalid')
        expectRefusal(await send('/tls', bearer(token)), 401, 'token_invalid')
      }
      expectRefusal(await send('/plain', bearer(token), client), 401, 'token_invalid')
    })

    it('is the one of each connection, also where one lasts and another is resumed', async () => {
      const agents = [client, stranger].map(
        (one) => new Agent({ keepAlive: true, cert: one.certificate, key: one.privateKey }),
      )
      const [ours, theirs] = agents
      for (let round = 0; round < 3; round += 1) {
        expect((await send('/tls', bearer(bound()), undefined, ours)).status).toBe(200)
        expectRefusal(await send('/tls', bearer(bound()), undefined, theirs), 401, 'token_invalid')
        expect((await send('/tls', bearer(bound(stranger)), undefined, theirs)).status).toBe(200)
      }
      for (const agent of agents) agent.destroy()
      const resuming = new Agent({ keepAlive: false, cert: client.certificate, key: client.privateKey })
      for (let round = 0; round < 3; round += 1) {
        expect((await send('/tls', bearer(bound()), undefined, resuming)).status).toBe(200)
      }
      resuming.destroy()
    })

    it('#36 is not to be had from a header', async () => {
      const field = ['Client-Cert', `:${rawOf(client).toString('base64')}:`] as const
      expectRefusal(await send('/tls', [...bearer(bound()), field], stranger), 401, 'token_invalid')
      expectRefusal(await send('/tls', [...bearer(bound()), field]), 401, 'token_invalid')
    })

    it('goes with an opaque token, asked about or remembered', async () => {
      const cnf = { 'x5t#S256': thumbprintOf(client) }
      issuer.on('/introspect', json({ active: true, client_id: target.clientId, aud: 'orders', cnf }))
      for (let round = 0; round < 2; round += 1) {
        expect((await send('/opaque', bearer('opaque'), client)).status).toBe(200)
        expectRefusal(await send('/opaque', bearer('opaque'), stranger), 401, 'token_invalid')
        expectRefusal(await send('/opaque-plain', bearer('opaque'), client), 401, 'token_invalid')
      }
    })

    it('#36 a token that is bound to a key too wants both', async () => {
      const both = bound(client, { jkt: 'a'.repeat(43) })
      expectRefusal(await send('/tls', bearer(both), client), 401, 'token_invalid')
    })

    it('only bound tokens are taken where that is asked for', async () => {
      const answer = await send('/only', bearer(accessToken(target)), client)
      expectRefusal(answer, 401, 'token_invalid')
      expect(answer.fields('www-authenticate')).toEqual(['Bearer realm="orders", error="invalid_token"'])
      expect((await send('/only', bearer(bound()), client)).status).toBe(200)
      expect((await send('/tls', bearer(accessToken(target)), client)).status).toBe(200)
    })
  })

  describe('the certificate that a proxy names', () => {
    async function startBehind(
      clientCertificate: ClientCertificateOption,
      trustedProxies: ClienteleOptions['trustedProxies'] = ['127.0.0.1'],
    ): Promise<Running> {
      return framework.start(
        { api: 'orders', store: reader, ...(trustedProxies && { trustedProxies }) },
        { routes: { 'ALL /': (on) => [on.validateJwt({ ...jwtOptions(), clientCertificate })] } },
      )
    }
    const base64 = (one: Certified): string => rawOf(one).toString('base64')
    const get = ({ url }: Running, ...fields: Headers): Promise<Answer> =>
      call(url, { headers: [...bearer(bound()), ...fields] })

    it.each<readonly [name: string, option: ClientCertificateOption, value: (one: Certified) => string]>([
      ['RFC 9440', { header: 'Client-Cert' }, (one) => `:${base64(one)}:`],
      [
        'percent-encoded PEM',
        { header: 'X-SSL-Cert', format: 'pem' },
        ({ certificate }) => encodeURIComponent(certificate),
      ],
      [
        'PEM with spaces for line ends',
        { header: 'X-SSL-Cert', format: 'pem' },
        ({ certificate }) => certificate.replaceAll('\n', ' ').trim(),
      ],
      ['the base64 of PEM', { header: 'X-SSL-Cert', format: 'base64' }, base64],
    ])('is read as %s', async (_name, option, value) => {
      const name = typeof option === 'object' ? option.header : ''
      const running = await startBehind(option)
      expect((await get(running, [name, value(client)])).status).toBe(200)
      expectRefusal(await get(running, [name, value(stranger)]), 401, 'token_invalid')
      expectRefusal(await get(running), 401, 'token_invalid')
      expectRefusal(await get(running, [name, '']), 401, 'token_invalid')
      expectRefusal(await get(running, [name, value(client)], [name, value(client)]), 401, 'token_invalid')
      for (const twisted of [`${value(client)}, ${value(client)}`, `x${value(client)}`, '::', '%', '-----BEGIN']) {
        expectRefusal(await get(running, [name, twisted]), 401, 'token_invalid')
      }
      await running.close()
    })

    it('#36 is passed over from an address that is no proxy', async () => {
      const running = await startBehind({ header: 'Client-Cert' }, ['10.0.0.0/8', '::1'])
      const field = ['Client-Cert', `:${base64(client)}:`] as const
      expectRefusal(await get(running, field), 401, 'token_invalid')
      expectRefusal(await get(running, field, ['X-Forwarded-For', '10.0.0.1']), 401, 'token_invalid')
      expect((await call(running.url, { headers: [...bearer(accessToken(target)), field] })).status).toBe(200)
      await running.close()
    })

    it.each([undefined, 'none', 1] as const)('is not read with trustedProxies %s', (trustedProxies) => {
      const options = { api: 'orders', store: reader, ...(trustedProxies !== undefined && { trustedProxies }) }
      const clientCertificate = { header: 'Client-Cert' }
      const routes = {
        'ALL /': (on: Parameters<Parameters<typeof framework.start>[1]['routes'][string]>[0]) => [
          on.validateJwt({ ...jwtOptions(), clientCertificate }),
        ],
      }
      expect(() => framework.start(options, { routes })).toThrow(
        expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS', message: expect.stringContaining('trustedProxies') }),
      )
    })
  })
})
