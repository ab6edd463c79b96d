import type { Answer, Call } from '../support/call.js'
import type { SeededClient, State } from '../support/seeded-store.js'
import type { Seen } from '../support/frameworks.js'

export type Clients = Record<State, SeededClient>

/** One exchange: what is sent, and what must come back on every framework. */
export interface Conversation {
  readonly name: string
  readonly send: (clients: Clients) => Call
  readonly status: number
  readonly code?: string
  /** Further expectations; called with what came back. */
  readonly also?: (answer: Answer, clients: Clients) => void
}

export const withHeaders = (clientId: string, clientSecret?: string, more: Call['headers'] = []): Call['headers'] => [
  ['client_id', clientId],
  ...(clientSecret === undefined ? [] : [['client_secret', clientSecret] as const]),
  ...more,
]

export const basic = (id: string, secret: string): readonly [string, string] => [
  'Authorization',
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
]

export const seen = (answer: Answer): Seen => answer.json as Seen

const approved = (clients: Clients): [string, string] => [clients.approved.clientId, clients.approved.clientSecret]
const query = (id: string, secret: string): string => `client_id=${id}&client_secret=${encodeURIComponent(secret)}`

const inBody = (members: object, type = 'application/json'): Call => ({
  method: 'POST',
  path: '/payload',
  headers: [['Content-Type', type]],
  body: type === 'application/json' ? JSON.stringify(members) : new URLSearchParams(Object.entries(members)).toString(),
})
const form = 'application/x-www-form-urlencoded'
const pair = ([clientId, clientSecret]: [string, string]): object => ({
  client_id: clientId,
  client_secret: clientSecret,
})

const places: readonly Conversation[] = [
  {
    name: 'ID and secret in header fields',
    send: (clients) => ({ path: '/any', headers: withHeaders(...approved(clients)) }),
    status: 200,
  },
  {
    name: 'the spelling that proxies let through',
    send: ({ approved: { clientId, clientSecret } }) => ({
      path: '/any',
      headers: [
        ['Client-Id', clientId],
        ['CLIENT-SECRET', clientSecret],
      ],
    }),
    status: 200,
  },
  {
    name: 'ID and secret in the query',
    send: (clients) => ({ path: `/any?${query(...approved(clients))}` }),
    status: 200,
  },
  { name: 'HTTP Basic', send: (clients) => ({ path: '/any', headers: [basic(...approved(clients))] }), status: 200 },
  { name: 'ID and secret in a JSON body', send: (clients) => inBody(pair(approved(clients))), status: 200 },
  { name: 'ID and secret in a form', send: (clients) => inBody(pair(approved(clients)), form), status: 200 },
  {
    name: 'a place of its own',
    send: ({ approved: { clientId, clientSecret } }) => ({
      path: '/custom',
      headers: [['cookie', `key=${clientId}.${clientSecret}`]],
    }),
    status: 200,
  },
  {
    name: 'the same pair in two places',
    send: (clients) => ({
      path: `/any?${query(...approved(clients))}`,
      headers: [...(withHeaders(...approved(clients)) ?? []), basic(...approved(clients))],
    }),
    status: 200,
  },
]

const refusedReadings: readonly Conversation[] = [
  { name: 'nothing anywhere', send: () => ({ path: '/headers' }), status: 401, code: 'credentials_missing' },
  {
    name: 'two places that disagree',
    send: (clients) => ({
      path: '/any',
      headers: [...(withHeaders(...approved(clients)) ?? []), basic(clients.pending.clientId, 'x')],
    }),
    status: 400,
    code: 'credentials_ambiguous',
  },
  {
    name: 'a JSON body that is none',
    send: (clients) => ({ ...inBody(pair(approved(clients))), body: '{' }),
    status: 400,
    code: 'credentials_malformed',
  },
  {
    name: 'a body of another type',
    send: (clients) => ({ ...inBody(pair(approved(clients))), headers: [['Content-Type', 'text/plain']] }),
    status: 401,
    code: 'credentials_missing',
  },
  {
    name: 'a body that is too large',
    send: (clients) => inBody({ ...pair(approved(clients)), note: 'x'.repeat(2000) }),
    status: 413,
    code: 'body_too_large',
  },
  {
    name: 'both spellings of a field',
    send: ({ approved: { clientId, clientSecret } }) => ({
      path: '/headers',
      headers: [...(withHeaders(clientId, clientSecret) ?? []), ['client-id', clientId]],
    }),
    status: 400,
    code: 'credentials_malformed',
  },
  {
    name: 'a repeated field',
    send: ({ approved: { clientId, clientSecret } }) => ({
      path: '/headers',
      headers: [...(withHeaders(clientId, clientSecret) ?? []), ['client_secret', clientSecret]],
    }),
    status: 400,
    code: 'credentials_malformed',
  },
  {
    name: 'a secret without its ID',
    send: ({ approved: { clientSecret } }) => ({ path: '/headers', headers: [['client_secret', clientSecret]] }),
    status: 400,
    code: 'credentials_malformed',
  },
  {
    name: 'an ID without its secret',
    send: ({ approved: { clientId } }) => ({ path: '/headers', headers: withHeaders(clientId) }),
    status: 401,
    code: 'client_invalid',
  },
]

const terms: readonly Conversation[] = (['pending', 'rejected', 'revoked'] as const).map((state) => ({
  name: `a contract that is ${state}`,
  send: (clients) => ({ path: '/headers', headers: withHeaders(clients[state].clientId, clients[state].clientSecret) }),
  status: 403,
  code: `contract_${state}`,
}))

const clientsOfEveryKind: readonly Conversation[] = [
  {
    name: 'no contract at all',
    send: ({ none }) => ({ path: '/headers', headers: withHeaders(none.clientId, none.clientSecret) }),
    status: 403,
    code: 'contract_missing',
  },
  ...terms,
  {
    name: 'an unknown ID',
    send: () => ({ path: '/headers', headers: withHeaders('nobody', 'cls_wrong') }),
    status: 401,
    code: 'client_invalid',
  },
  {
    name: 'a wrong secret',
    send: ({ approved: { clientId }, none }) => ({
      path: '/headers',
      headers: withHeaders(clientId, none.clientSecret),
    }),
    status: 401,
    code: 'client_invalid',
  },
  {
    name: 'a disabled client',
    send: ({ disabled }) => ({ path: '/headers', headers: withHeaders(disabled.clientId, disabled.clientSecret) }),
    status: 401,
    code: 'client_invalid',
  },
  {
    name: 'a public client on a route that wants a secret',
    send: (clients) => ({ path: '/headers', headers: withHeaders(clients.public.clientId) }),
    status: 401,
    code: 'client_invalid',
  },
  {
    name: 'a public client where an ID is enough',
    send: (clients) => ({ path: '/optional', headers: withHeaders(clients.public.clientId) }),
    status: 200,
  },
  {
    name: 'a public client with a secret it cannot have',
    send: (clients) => ({ path: '/optional', headers: withHeaders(clients.public.clientId, 'guess') }),
    status: 401,
    code: 'client_invalid',
  },
  {
    name: 'a public client without an approved contract: a stranger learns nothing of it',
    send: (clients) => ({ path: '/optional', headers: withHeaders(clients.publicPending.clientId) }),
    status: 401,
    code: 'client_invalid',
  },
  {
    name: 'a confidential client by ID alone where public ones may',
    send: (clients) => ({ path: '/optional', headers: withHeaders(clients.approved.clientId) }),
    status: 401,
    code: 'client_invalid',
  },
]

export const clientIdConversations: readonly Conversation[] = [...places, ...refusedReadings, ...clientsOfEveryKind]
