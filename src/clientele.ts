import { z } from 'zod'
import { checkedReader } from './contracts/reader.js'
import { apiName } from './contracts/schema-words.js'
import type { ContractReader } from './contracts/store.js'
import type { HttpRequest } from './decisions/http-request.js'
import type { Choice, IdentifyingPolicy, Policy } from './decisions/policy.js'
import type { Refusal, RefusalCode } from './decisions/refusals.js'
import type { ClienteleFault, FaultCode } from './decisions/faults.js'
import type { HttpReply } from './http/reply.js'
import type { Counter } from './limits/counter.js'
import { memoryCounter } from './limits/memory-counter.js'
import { anyOf } from './policies/any-of.js'
import type { PolicyContext } from './policies/context.js'
import { enforceClientId, type EnforceClientIdOptions } from './policies/enforce-client-id.js'
import { introspectToken, type IntrospectTokenOptions } from './policies/introspect-token.js'
import { limitBySla, type LimitBySlaOptions } from './policies/limit-by-sla.js'
import { validateJwt, type ValidateJwtOptions } from './policies/validate-jwt.js'
import { checkOptions } from './runtime/check.js'
import { tokenEngines } from './tokens/engines.js'

export type { EnforceClientIdOptions, IntrospectTokenOptions, LimitBySlaOptions, ValidateJwtOptions }

/** What one policy said of one request, for logs and metrics. Names codes and IDs, never values of the request. */
export interface DecisionEvent {
  readonly api: string
  readonly policy: string
  readonly verdict: 'admitted' | 'refused' | 'fault'
  readonly code?: RefusalCode | FaultCode | undefined
  /** The internal ID of the client, once it has proved itself. */
  readonly client?: string | undefined
  /** What went wrong, for `fault`: safe to log, since its message and cause hold no secret, token or URL. */
  readonly fault?: ClienteleFault | undefined
}

export interface ClienteleOptions {
  /** The name of the API that is protected: contracts are made with it. */
  readonly api: string
  readonly store: ContractReader
  /** Who counts requests. @default a `memoryCounter()` that all `clientele()` over the same store share */
  readonly counter?: Counter
  /** Shown in challenges. Visible ASCII. @default the name of the API */
  readonly realm?: string
  /** How long the store may take before it counts as out of reach (503). @default 5000 */
  readonly storeTimeoutMs?: number
  /** How long the counter may take before it counts as out of reach (503). @default 1000 */
  readonly counterTimeoutMs?: number
  /** Leaves a request alone: nothing is established, nothing is refused. @default none */
  readonly skip?: (request: HttpRequest) => boolean
  /** Reshapes the reply to a refusal. What it throws is contained and the reply sent as it was. */
  readonly answer?: (refusal: Refusal, reply: HttpReply) => HttpReply
  /** `forward`: the application's own error handler gets a `RefusalError`. @default 'reply' */
  readonly onRefusal?: 'reply' | 'forward'
  /** The same for outages, which are forwarded as `ClienteleFault`. @default 'reply' */
  readonly faults?: 'reply' | 'forward'
  /**
   * Is told of every verdict, beside the request (`request.raw` is the framework's own: for an ID of one's own, say).
   * Cannot change or delay it. Where there is none, an outage is told to the process as a
   * warning, once a minute at most.
   */
  readonly onDecision?: (event: DecisionEvent, request: HttpRequest) => void
}

const isFunction = <T>() => z.custom<T>((value) => typeof value === 'function', { message: 'expected a function' })
const milliseconds = z.number().int().min(1).max(600_000)
const schema = z.strictObject({
  api: apiName,
  store: z.custom<ContractReader>(hasFunctions('findClient', 'findContract', 'findTier'), {
    message:
      'expected a contract store: memoryStore(), diskStore() or an object with findClient, findContract, findTier',
  }),
  counter: z
    .custom<Counter>(hasFunctions('take', 'peek', 'giveBack', 'reset'), { message: 'expected a counter' })
    .optional(),
  realm: z
    .string()
    .regex(/^[\x20-\x7e]+$/, 'expected visible ASCII')
    .optional(),
  storeTimeoutMs: milliseconds.optional(),
  counterTimeoutMs: milliseconds.optional(),
  skip: isFunction<ClienteleOptions['skip']>().optional(),
  answer: isFunction<ClienteleOptions['answer']>().optional(),
  onRefusal: z.enum(['reply', 'forward']).optional(),
  faults: z.enum(['reply', 'forward']).optional(),
  onDecision: isFunction<ClienteleOptions['onDecision']>().optional(),
})

/** How verdicts become answers, for the run loop of the adapters. */
export type Conduct = Pick<ClienteleOptions, 'api' | 'skip' | 'answer' | 'onRefusal' | 'faults' | 'onDecision'>

/** The policies of one API, not yet bound to a framework. */
export interface Policies {
  readonly conduct: Conduct
  enforceClientId(options?: EnforceClientIdOptions): IdentifyingPolicy
  validateJwt(options: ValidateJwtOptions): IdentifyingPolicy
  introspectToken(options: IntrospectTokenOptions): IdentifyingPolicy
  anyOf(branches: readonly (IdentifyingPolicy | Choice)[]): Choice
  limitBySla(options?: LimitBySlaOptions): Policy
}

/**
 * The one place where policies, store and counter are wired.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function wirePolicies(options: ClienteleOptions): Policies {
  const checked: ClienteleOptions = checkOptions('clientele()', schema, options)
  const {
    api,
    store,
    counter = counterOf(store),
    realm = api,
    storeTimeoutMs = 5000,
    counterTimeoutMs = 1000,
  } = checked
  const { skip, answer, onRefusal, faults, onDecision } = checked
  const reader = checkedReader(store, { timeoutMs: storeTimeoutMs })
  const context: PolicyContext = { api, realm, reader, tokens: tokenEngines() }
  return {
    conduct: { api, skip, answer, onRefusal, faults, onDecision },
    enforceClientId: (own) => enforceClientId(context, own),
    validateJwt: (own) => validateJwt(context, own),
    introspectToken: (own) => introspectToken(context, own),
    anyOf,
    limitBySla: (own) => limitBySla({ api, counter, counterTimeoutMs }, own),
  }
}

const defaultCounters = new WeakMap<ContractReader, Counter>()

/** One for each store: two `clientele()` of one API must not admit twice the limit. */
function counterOf(store: ContractReader): Counter {
  let counter = defaultCounters.get(store)
  if (counter === undefined) {
    counter = memoryCounter()
    defaultCounters.set(store, counter)
  }
  return counter
}

function hasFunctions(...names: readonly string[]): (value: unknown) => boolean {
  return (value) =>
    typeof value === 'object' && value !== null && names.every((name) => typeof Reflect.get(value, name) === 'function')
}
