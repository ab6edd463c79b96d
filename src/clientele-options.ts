import { z } from 'zod'
import { apiName } from './contracts/schema-words.js'
import type { ContractReader } from './contracts/store.js'
import type { ClienteleFault, FaultCode } from './decisions/faults.js'
import type { HttpRequest } from './decisions/http-request.js'
import type { Refusal, RefusalCode } from './decisions/refusals.js'
import type { HttpReply } from './http/reply.js'
import { resourceSchema, type ResourceOptions } from './http/resource-metadata.js'
import type { ProxyOptions } from './http/trusted-proxies.js'
import type { Counter } from './limits/counter.js'
import { counterOption } from './policies/counter-options.js'
import { proxyOptionsShape } from './policies/proxy-options.js'
import { hasFunctions } from './runtime/check.js'
import type { IssuerEvent } from './tokens/issuer-event.js'

/** What one policy said of one request, for logs and metrics. Names codes and IDs, never values of the request. */
export interface DecisionEvent {
  readonly api: string
  readonly policy: string
  readonly verdict: 'admitted' | 'passed' | 'refused' | 'fault'
  readonly code?: RefusalCode | FaultCode | undefined
  /** One word for why, where the code stands for several things: of a token that is not good, of an outage. */
  readonly reason?: string | undefined
  /** The internal ID of the client, once it has proved itself. */
  readonly client?: string | undefined
  /** What went wrong, for `fault` and `withoutCounter`: safe to log, since its message and cause hold no secret, token or URL. */
  readonly fault?: ClienteleFault | undefined
  /** The counter has not answered, and this was done instead, by `whenCounterFails`; `fault` says why. */
  readonly withoutCounter?: 'admit' | 'localShare' | undefined
  /** How long the request has waited for its turn. */
  readonly waitedMs?: number | undefined
  /** With this the request would have been turned away, if `enforce` said so. */
  readonly notEnforced?: RefusalCode | FaultCode | undefined
}

export interface ClienteleOptions extends ProxyOptions {
  /** The name of the API that is protected: contracts are made with it. */
  readonly api: string
  readonly store: ContractReader
  /** Who counts requests against the limits of tiers. @default a `memoryCounter()` that all `clientele()` over the same store share */
  readonly counter?: Counter
  /** Shown in challenges. Visible ASCII. @default the name of the API */
  readonly realm?: string
  /**
   * What clients are told of this API as a protected resource (RFC 9728): `resourceMetadata()` answers with it, and
   * challenges for tokens say where it stands. @default nothing
   */
  readonly resource?: ResourceOptions
  /**
   * `store`: tokens that `revokeTokens()` names do not work, on any route. Where the store tells of changes that is
   * so at once, elsewhere within a second; a list that cannot be read is 503. Needs a store with `list`.
   * @default 'none'
   */
  readonly revocations?: 'none' | 'store'
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
  /**
   * Is told what happens between us and issuers beside any request: keys that are not used, and why; fetches that
   * failed. Where there is none, the process is told by a warning, once a minute at most.
   */
  readonly onIssuerEvent?: (event: IssuerEvent) => void
}

const isFunction = <T>() => z.custom<T>((value) => typeof value === 'function', { message: 'expected a function' })
const milliseconds = z.number().int().min(1).max(600_000)
export const clienteleSchema = z
  .strictObject({
    api: apiName,
    store: z.custom<ContractReader>(hasFunctions('findClient', 'findContract', 'findTier'), {
      message:
        'expected a contract store: memoryStore(), diskStore(), redisStore(), postgresStore(), or an object with findClient, findContract, findTier; a Keyv is none, wrap it: keyvStore(keyv)',
    }),
    counter: counterOption.optional(),
    realm: z
      .string()
      .regex(/^[\x20-\x7e]+$/, 'expected visible ASCII')
      .optional(),
    resource: resourceSchema.optional(),
    revocations: z.enum(['none', 'store']).optional(),
    storeTimeoutMs: milliseconds.optional(),
    counterTimeoutMs: milliseconds.optional(),
    skip: isFunction<ClienteleOptions['skip']>().optional(),
    answer: isFunction<ClienteleOptions['answer']>().optional(),
    onRefusal: z.enum(['reply', 'forward']).optional(),
    faults: z.enum(['reply', 'forward']).optional(),
    onDecision: isFunction<ClienteleOptions['onDecision']>().optional(),
    onIssuerEvent: isFunction<ClienteleOptions['onIssuerEvent']>().optional(),
    ...proxyOptionsShape,
  })
  .refine(({ revocations = 'none', store }) => revocations === 'none' || hasFunctions('list')(store), {
    path: ['revocations'],
    error: 'expected a store with list(): that is where revoked tokens stand',
  })
  .refine(
    ({ forwardingHeader, trustedProxies = 'none' }) => forwardingHeader === undefined || trustedProxies !== 'none',
    {
      path: ['forwardingHeader'],
      error: 'expected trustedProxies beside it: without proxies no such header is read',
    },
  )
