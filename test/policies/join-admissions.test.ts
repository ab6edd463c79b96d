import { expect, it } from 'vitest'
import type { Admission } from '../../src/decisions/admission.js'
import { joinAdmissions } from '../../src/policies/join-admissions.js'

const api = 'orders'
const client = (id: string, clientId = id): Admission['client'] => ({
  id,
  name: id,
  type: 'confidential',
  identity: { issuer: 'local', clientId },
})
const contract = (version: number) => ({ client: 'a', api, version })
const tier = { api, name: 'gold', version: 1, limits: [] }

it('takes the first admission as it is, frozen', () => {
  const first: Admission = { api, authenticated: true, client: client('a') }
  expect(joinAdmissions(undefined, first)).toBe(first)
  expect(first).toSatisfy(Object.isFrozen)
})

it('refuses two clients', () => {
  const before: Admission = { api, authenticated: true, client: client('a') }
  expect(joinAdmissions(before, { ...before, client: client('b') })).toEqual({ code: 'credentials_ambiguous' })
})

it('joins two identities of one client: what the later policy established stands', () => {
  const before: Admission = { api, authenticated: true, client: client('a'), contract: contract(1), tier }
  const next: Admission = {
    api,
    authenticated: true,
    client: client('a', 'a2'),
    contract: contract(2),
    claims: {},
    scopes: [],
  }
  const joined = joinAdmissions(before, next)
  expect(joined).toEqual({ ...next, tier: undefined })
  expect(joined).toSatisfy(Object.isFrozen)
})

it.each([
  [true, false, true],
  [false, true, true],
  [false, false, false],
])('one proof is enough: %s and %s is %s', (first, second, both) => {
  const before: Admission = { api, authenticated: first, client: client('a') }
  expect(joinAdmissions(before, { ...before, authenticated: second })).toMatchObject({ authenticated: both })
})

it('a token that names no client proves none', () => {
  const identified: Admission = { api, authenticated: false, client: client('a'), contract: contract(1), tier }
  const token: Admission = { api, authenticated: true, claims: { sub: 'x' }, scopes: ['s'] }
  const joined = { ...identified, claims: { sub: 'x' }, scopes: ['s'] }
  expect(joinAdmissions(identified, token)).toEqual(joined)
  expect(joinAdmissions(token, identified)).toEqual(joined)
})
