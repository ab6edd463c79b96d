// What users bring themselves: stores, counters, policies, sources, hooks.
import {
  ClienteleFault,
  custom,
  RefusalError,
  type Admission,
  type Client,
  type Contract,
  type ContractReader,
  type ContractStore,
  type Counter,
  type DecisionEvent,
  type HttpRequest,
  type Policy,
  type Tier,
  type Verdict,
} from 'clientele'
import { clientele } from 'clientele/express'
import { clientele as clienteleOfKoa } from 'clientele/koa'
import { testContractStore, testCounter } from 'clientele/testing'
import { describe, it } from 'node:test'
import type { Exactly } from './exactly.js'

// A store is three functions, which answer at once or later.
declare const clients: Map<string, Client>
declare const contracts: { find(client: string, api: string): Promise<Contract | undefined> }
const store: ContractReader = {
  findClient: ({ issuer, clientId }) => clients.get(`${issuer} ${clientId}`),
  findContract: (client, api) => contracts.find(client, api),
  findTier(api, name): Tier {
    const limits = [{ requests: 5, windowSeconds: 60, algorithm: 'fixed' as const }]
    const stamps = { createdAt: '2026-01-31T12:00:00Z', updatedAt: '2026-01-31T12:00:00Z', updatedBy: 'me' }
    return { api, name, version: 1, state: 'active', approval: 'manual', limits, ...stamps }
  },
}
// @ts-expect-error two functions are no store
const half: ContractReader = { findClient: store.findClient, findContract: store.findContract }
// @ts-expect-error "no such thing" is undefined: null would be a record
const nothing: ContractReader = { ...store, findTier: () => null }

declare const whole: ContractStore
declare const counter: Counter
testContractStore('a store', () => whole, { describe, it })
testCounter('a counter', () => counter, { describe, it })
// @ts-expect-error a reader cannot be held to what stores promise
testContractStore('a reader', () => store, { describe, it })

// A policy decides on a request and on what has been established before it.
const weekdays: Policy = {
  name: 'weekdays',
  decide(request, admission): Verdict {
    const typed: [Exactly<typeof request, HttpRequest>, Exactly<typeof admission, Admission | undefined>] = [true, true]
    if (admission === undefined || typed.includes(false as never)) throw new Error('weekdays goes after a policy')
    if (request.headerValues('x-day').includes('sunday'))
      return { kind: 'refused', refusal: { code: 'limit_exceeded' } }
    return {
      kind: 'admitted',
      admission,
      settle: ({ status, aborted }) => {
        report(status, aborted)
      },
    }
  },
}
const { enforce, enforceClientId, anyOf } = clientele({ api: 'orders', store, counter })
const guarded: Policy = enforce(weekdays).policy
clienteleOfKoa({ api: 'orders', store }).enforce(weekdays)
// @ts-expect-error a policy that identifies nobody is no branch
anyOf(enforceClientId(), enforce(weekdays))
// @ts-expect-error there are no codes of one's own
const verdict: Verdict = { kind: 'refused', refusal: { code: 'closed_on_sundays' } }
// @ts-expect-error an admission says for which API it is
const admission: Verdict = { kind: 'admitted', admission: { authenticated: true } }

custom(async (request) => ({ clientId: (await Promise.resolve(request.query.get('id'))) ?? '', clientSecret: 's' }))
// @ts-expect-error a secret without an ID
custom(() => ({ clientSecret: 's' }))

// Hooks see what happened and answer in their own words.
clientele({
  api: 'orders',
  store,
  skip: ({ method }) => method === 'OPTIONS',
  answer: ({ code }, reply) => ({ ...reply, body: JSON.stringify({ code }) }),
  onDecision(event) {
    const typed: Exactly<typeof event, DecisionEvent> = true
    if (event.fault !== undefined) report(event.fault, typed)
  },
})
// @ts-expect-error a hook that decides to skip later would let everybody wait
clientele({ api: 'orders', store, skip: () => Promise.resolve(true) })

function report(error: unknown, ...more: unknown[]): string {
  if (error instanceof ClienteleFault && error.code === 'ERR_CLIENTELE_STORE') return error.message
  // @ts-expect-error a fault has no such code
  if (error instanceof ClienteleFault && error.code === 'ERR_STORE') return error.message
  return error instanceof RefusalError
    ? error.reply.body
    : String([half, nothing, guarded, verdict, admission, ...more])
}
