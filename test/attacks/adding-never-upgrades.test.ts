import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  basicAuth,
  custom,
  headers,
  linkIdentity,
  memoryStore,
  payload,
  query,
  type CredentialsSource,
} from 'clientele'
import { diskStore } from 'clientele/disk'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { wirePolicies, type Policies } from '../../src/clientele.js'
import type { Policy } from '../../src/decisions/policy.js'
import { requestOf } from '../support/request-of.js'
import { seededStore, type SeededClient } from '../support/seeded-store.js'
import { nowSeconds, rsaKey, signText } from '../support/signed-jwt.js'

/**
 * Property 1: an admission is byte-equal to a stored identity, and if a request is refused, adding, repeating or
 * corrupting another credential that is not admitted alone never admits it.
 */
interface Sent {
  readonly headers: readonly (readonly [string, string])[]
  readonly query: string
  /** Members of a JSON body, unless there are fields of a form. */
  readonly members: readonly string[]
  readonly fields: readonly string[]
}

const cookie = custom((request) => {
  const [value] = request.headerValues('x-own')
  const [clientId = '', clientSecret] = value?.split(' ') ?? []
  return value === undefined ? undefined : { clientId, ...(clientSecret !== undefined && { clientSecret }) }
})

const nothing: Sent = { headers: [], query: '', members: [], fields: [] }
const joined = (a: Sent, b: Sent): Sent => ({
  headers: [...a.headers, ...b.headers],
  query: [a.query, b.query].filter((each) => each !== '').join('&'),
  members: [...a.members, ...b.members],
  fields: [...a.fields, ...b.fields],
})

function bodyOf({ members, fields }: Sent): { type: string; text: string } | undefined {
  if (fields.length > 0) return { type: 'application/x-www-form-urlencoded', text: fields.join('&') }
  return members.length === 0 ? undefined : { type: 'application/json', text: `{${members.join()}}` }
}

// No secret stands alone: with the ID that belongs to it, it would be the credential.
const places: ((id: string, secret: string) => Sent)[] = [
  (id, secret) => ({
    ...nothing,
    headers: [
      ['client_id', id],
      ['client_secret', secret],
    ],
  }),
  (id, secret) => ({
    ...nothing,
    headers: [
      ['client-id', id],
      ['client_secret', secret],
    ],
  }),
  (id) => ({ ...nothing, headers: [['client_id', id]] }),
  (id, secret) => ({
    ...nothing,
    query: `client_id=${encodeURIComponent(id)}&client_secret=${encodeURIComponent(secret)}`,
  }),
  (id, secret) => ({
    ...nothing,
    query: `client_id[]=${encodeURIComponent(id)}&client_secret=${encodeURIComponent(secret)}`,
  }),
  (id) => ({ ...nothing, query: `client_id=${encodeURIComponent(id)}` }),
  (id, secret) => ({
    ...nothing,
    headers: [['authorization', `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`]],
  }),
  (id, secret) => ({ ...nothing, headers: [['authorization', `bearer ${id}${secret}`]] }),
  (id, secret) => ({ ...nothing, headers: [['x-own', `${id} ${secret}`]] }),
  (id, secret) => ({
    ...nothing,
    members: [`"client_id":${JSON.stringify(id)}`, `"client\\u005fsecret":${JSON.stringify(secret)}`],
  }),
  (id) => ({ ...nothing, members: [`"client_id":${JSON.stringify(id)}`] }),
  (id) => ({ ...nothing, members: [`"client_id":[${JSON.stringify(id)}]`] }),
  (id, secret) => ({
    ...nothing,
    fields: [`client_id=${encodeURIComponent(id)}`, `client_secret=${encodeURIComponent(secret)}`],
  }),
  (id) => ({ ...nothing, fields: [`client_id[]=${encodeURIComponent(id)}`] }),
]

const sourceSets: readonly (readonly CredentialsSource[])[] = [
  [headers()],
  [headers(), basicAuth()],
  [query(), headers()],
  [headers(), query(), basicAuth(), cookie],
  [payload()],
  [payload(), headers(), query(), basicAuth(), cookie],
]

const issuer = 'https://issuer.example'
const key = rsaKey('one')

/** A good token for a client, and one that ended a minute ago. */
function tokensFor(clientId: string): readonly string[] {
  const claims = { iss: issuer, aud: 'orders', client_id: clientId }
  return [600, -60].map((lifetime) =>
    signText(
      '{"alg":"RS256","typ":"at+jwt","kid":"one"}',
      JSON.stringify({ ...claims, exp: nowSeconds() + lifetime }),
      key,
    ),
  )
}

const bearer = (token: string): Sent => ({ ...nothing, headers: [['authorization', `Bearer ${token}`]] })

const root = mkdtempSync(join(tmpdir(), 'clientele-property-'))
afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

describe.each([
  ['memoryStore', () => memoryStore()],
  ['diskStore', () => diskStore({ path: join(root, 'store') })],
])('property 1 on %s: adding never upgrades', (_name, makeStore) => {
  let policies: Policies
  let tokens: readonly (readonly string[])[]
  let clients: readonly SeededClient[]
  let enforcing: readonly Policy[]

  beforeAll(async () => {
    const seeded = await seededStore(makeStore())
    clients = Object.values(seeded.clients)
    policies = wirePolicies({ api: 'orders', store: seeded.store })
    for (const { id, clientId } of clients) {
      await linkIdentity(seeded.store, { client: id, issuer, clientId, actor: 'test' })
    }
    tokens = clients.map(({ clientId }) => tokensFor(clientId))
    const jwt = policies.validateJwt({ issuer, audience: 'orders', jwks: { keys: [key.jwk] } })
    enforcing = sourceSets.flatMap((from) => {
      const [strict, optional] = [
        policies.enforceClientId({ from }),
        policies.enforceClientId({ from, secret: 'optional' }),
      ]
      return [strict, optional, policies.anyOf([jwt, strict]), policies.anyOf([jwt, optional])]
    })
  })

  const presentedIds = (id: string): readonly string[] => [
    id,
    id.toUpperCase(),
    `${id} `,
    `${id}\u0301`,
    encodeURIComponent(id),
    '',
  ]

  const credential = (): fc.Arbitrary<Sent> =>
    fc
      .record({
        place: fc.constantFrom(...places),
        owner: fc.nat({ max: 7 }),
        lender: fc.nat({ max: 7 }),
        spelling: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 5 }) }),
        corrupt: fc.oneof(
          { weight: 4, arbitrary: fc.constant('') },
          { weight: 1, arbitrary: fc.string({ maxLength: 3 }) },
        ),
        lend: fc.boolean(),
        token: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat({ max: 1 }) }),
      })
      .map(({ place, owner, lender, spelling, corrupt, lend, token }) => {
        const client = clients[owner]
        if (token !== undefined) return bearer(`${tokens[owner]?.[token] ?? ''}${corrupt}`)
        const secret = `${(lend ? clients[lender] : client)?.clientSecret ?? ''}${corrupt}`
        return place(presentedIds(client?.clientId ?? '')[spelling] ?? '', secret)
      })

  /** The client that a request is admitted as; `undefined` when it is not. */
  async function admittedAs(policy: Policy, sent: Sent): Promise<string | undefined> {
    const url = sent.query === '' ? '/' : `/?${sent.query}`
    const text = bodyOf(sent)
    const body = text === undefined ? {} : { body: text }
    const verdict = await policy.decide(requestOf({ url, headers: sent.headers, ...body }), undefined)
    if (verdict.kind !== 'admitted') return undefined
    const { client } = verdict.admission
    const owner = clients.find(({ id }) => id === client?.id)
    // Every admission is byte-equal to a stored identity, and its bytes stand in the request.
    expect(client?.identity.clientId).toBe(owner?.clientId)
    return client?.id
  }

  it('holds over all sources and policies', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: sourceSets.length * 4 - 1 }),
        fc.array(credential(), { minLength: 2, maxLength: 4 }),
        async (which, credentials) => {
          const policy = enforcing[which]
          if (policy === undefined) throw new Error('no such policy')
          const alone = await Promise.all(credentials.map((each) => admittedAs(policy, each)))
          const together = await admittedAs(policy, credentials.reduce(joined))
          if (together !== undefined) expect(alone).toContain(together)
          // Once refused, any number of credentials that are not admitted alone leaves it refused.
          if (alone.every((each) => each === undefined)) expect(together).toBeUndefined()
        },
      ),
      { numRuns: 2000, seed: 20_261_121 },
    )
  })

  it('admits each approved client alone, so that the property is not empty', async () => {
    const [first] = enforcing
    const approved = clients[0]
    if (first === undefined || approved === undefined) throw new Error('nothing seeded')
    const sent = places[0]?.(approved.clientId, approved.clientSecret) ?? nothing
    expect(await admittedAs(first, sent)).toBe(approved.id)
    const byBody = policies.enforceClientId({ from: [payload()] })
    const bodies = places.map((place) => place(approved.clientId, approved.clientSecret))
    const admitted = await Promise.all(bodies.map((each) => admittedAs(byBody, each)))
    expect(admitted.filter((each) => each !== undefined)).toEqual([approved.id, approved.id])
    const [, , choice] = enforcing
    if (choice === undefined) throw new Error('nothing built')
    expect(await admittedAs(choice, bearer(tokens[0]?.[0] ?? ''))).toBe(approved.id)
    expect(await admittedAs(choice, bearer(tokens[0]?.[1] ?? ''))).toBeUndefined()
  })
})
