import type {
  AnyTokenOptions,
  ClaimCheck,
  ClientUsage,
  ControlSpikesOptions,
  EnforceClientIdOptions,
  IntrospectTokenOptions,
  Issuers,
  LimitBySlaOptions,
  Policies,
  RequireAuthenticationOptions,
  ResourceMetadata,
  Scopes,
  ThrottleBySlaOptions,
  UsageQuestion,
  ValidateJwtOfIssuersOptions,
  ValidateJwtOptions,
} from '../clientele.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { HttpRequest } from '../decisions/http-request.js'
import type { Choice, IdentifyingPolicy, Policy } from '../decisions/policy.js'

/** A handler of some framework that carries the policy it enforces. */
export type Guarded<Handler, P extends Policy = Policy> = Handler & {
  readonly policy: P
  /** Of which `clientele()` it is: for tools that look at a configuration. */
  readonly enforcedFor: {
    readonly api: string
    readonly skip: ((request: HttpRequest) => boolean) | undefined
    readonly issuers: Issuers
  }
}

/** What `clientele()` returns beside `admissionOf`, the same for each framework. All fit for destructuring. */
export interface Handlers<Handler> {
  /** Lets in who proves to be a registered client with an approved contract. */
  enforceClientId(this: void, options?: EnforceClientIdOptions): Guarded<Handler, IdentifyingPolicy>
  /** Lets in who bears a JWT of an issuer whose client has an approved contract. */
  validateJwt(
    this: void,
    options: ValidateJwtOptions | ValidateJwtOfIssuersOptions,
  ): Guarded<Handler, IdentifyingPolicy>
  /** The same for any access token that the issuer answers for (RFC 7662). */
  introspectToken(this: void, options: IntrospectTokenOptions): Guarded<Handler, IdentifyingPolicy>
  /** One of several ways to be identified, chosen by the credentials that stand in the request. */
  anyOf(this: void, ...branches: Guarded<unknown, IdentifyingPolicy | Choice>[]): Guarded<Handler, Choice>
  /** JWTs and opaque tokens on one route, told apart by their shape: `anyOf(validateJwt(), introspectToken())`. */
  anyToken(this: void, options: AnyTokenOptions): Guarded<Handler, Choice>
  /** Asks more scopes of a token that was let in before. */
  requireScopes(this: void, scopes: Scopes): Guarded<Handler>
  /** Asks for claims of a token that was let in before: a value, a list, a function or a schema for each. */
  requireClaims(this: void, claims: Readonly<Record<string, ClaimCheck>>): Guarded<Handler>
  /** Asks for a user who was authenticated in a certain way, or not long ago (RFC 9470). */
  requireAuthentication(this: void, options: RequireAuthenticationOptions): Guarded<Handler>
  /** Answers clients that ask what this API is (RFC 9728), with what `resource` of `clientele()` says; else goes on. */
  resourceMetadata(this: void): Handler
  /** Holds the client to all limits of its contract's tier. */
  limitBySla(this: void, options?: LimitBySlaOptions): Guarded<Handler>
  /** The same, and over the limits a request waits for its turn. */
  throttleBySla(this: void, options?: ThrottleBySlaOptions): Guarded<Handler>
  /** Keeps guessing and floods within bounds, before anybody is identified or after. */
  controlSpikes(this: void, options: ControlSpikesOptions): Guarded<Handler>
  /** A policy of one's own as a handler. */
  enforce<P extends Policy>(this: void, policy: P): Guarded<Handler, P>
  /**
   * For whoever is asked "why do I get a 429?": where a client stands with its limits, its own ones included. Charges
   * nothing.
   *
   * @throws ClienteleFault `ERR_CLIENTELE_INVALID`; `ERR_CLIENTELE_NOT_FOUND` without a contract, `ERR_CLIENTELE_STATE`
   * for one that is not approved or has no tier; `ERR_CLIENTELE_STORE`, `ERR_CLIENTELE_COUNTER`
   */
  usageOf(this: void, question: UsageQuestion): Promise<ClientUsage>
  /**
   * Forgets what a client has used of this API, so that its windows begin anew. Requests in flight keep their places.
   *
   * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `ERR_CLIENTELE_COUNTER`
   */
  resetUsage(this: void, question: UsageQuestion): Promise<void>
  /**
   * For a process that ends, before its server is closed: requests that wait for their turn are answered with a 429 at
   * once, and from now on nobody waits.
   */
  endWaiting(this: void): void
  /** What can be done about an issuer while the process runs: fetch its keys now, believe a key no more. */
  readonly issuers: Issuers
}

export function handlersOf<Handler extends object>(
  policies: Policies,
  toHandler: (policy: Policy) => Handler,
  toAnswering: (answer: ResourceMetadata['answer']) => Handler,
): Handlers<Handler> {
  const { api, skip } = policies.conduct
  const enforcedFor = { api, skip, issuers: policies.issuers }
  const enforce = <P extends Policy>(policy: P): Guarded<Handler, P> => {
    policies.conduct.secretPlaces.add(policy.strip)
    return Object.assign(toHandler(policy), { policy, enforcedFor })
  }
  return {
    ...requireCalls({
      enforce,
      ...factoriesOf(policies, enforce),
      resourceMetadata: () => toAnswering(answeringOf(policies)),
    }),
    issuers: policies.issuers,
    endWaiting: () => {
      policies.endWaiting()
    },
    usageOf: (question) => policies.usage.usageOf(question),
    resetUsage: (question) => policies.usage.resetUsage(question),
  }
}

/** Whoever mounts what these return as a handler enforces a policy. */
function factoriesOf<Handler>(policies: Policies, enforce: <P extends Policy>(policy: P) => Guarded<Handler, P>) {
  return {
    enforceClientId: (options) => enforce(policies.enforceClientId(options)),
    validateJwt: (options) => enforce(policies.validateJwt(options)),
    introspectToken: (options) => enforce(policies.introspectToken(options)),
    anyToken: (options) => enforce(policies.anyToken(options)),
    anyOf: (...branches) => enforce(policies.anyOf(branches.map(branchPolicy))),
    requireScopes: (scopes) => enforce(policies.requireScopes(scopes)),
    requireClaims: (claims) => enforce(policies.requireClaims(claims)),
    requireAuthentication: (options) => enforce(policies.requireAuthentication(options)),
    limitBySla: (options) => enforce(policies.limitBySla(options)),
    throttleBySla: (options) => enforce(policies.throttleBySla(options)),
    controlSpikes: (options) => enforce(policies.controlSpikes(options)),
  } satisfies Partial<Handlers<Handler>>
}

function answeringOf({ resourceMetadata }: Policies): ResourceMetadata['answer'] {
  if (resourceMetadata !== undefined) return resourceMetadata.answer
  throw new ClienteleFault('ERR_CLIENTELE_OPTIONS', 'resourceMetadata(): write the option resource of clientele()')
}

/** A factory that stands where its handler should is called with a request: that is no mistake in the options. */
function requireCalls<Factories extends object>(factories: Factories): Factories {
  const requiring = Object.entries(factories).map(([name, factory]: [string, (...given: unknown[]) => unknown]) => [
    name,
    (...given: unknown[]) => {
      if (!isRequest(given[0])) return factory(...given)
      throw new ClienteleFault('ERR_CLIENTELE_OPTIONS', `${name}(): was mounted without being called; write ${name}()`)
    },
  ])
  return Object.fromEntries(requiring) as Factories
}

/** Node's request, or a Koa context that holds one. */
function isRequest(given: unknown): boolean {
  const { rawHeaders, req } = (given ?? {}) as { rawHeaders?: unknown; req?: { rawHeaders?: unknown } | null }
  return Array.isArray(rawHeaders ?? req?.rawHeaders)
}

/** What the types already say, for those who write without them. */
function branchPolicy(branch: Partial<Guarded<unknown, IdentifyingPolicy | Choice>> | undefined, index: number) {
  const policy = branch?.policy
  if (policy !== undefined && ('recognise' in policy || 'branches' in policy)) return policy
  const given = Array.isArray(branch) ? 'a list; write anyOf(a, b)' : (policy as Policy | undefined)?.name
  throw new ClienteleFault(
    'ERR_CLIENTELE_OPTIONS',
    `anyOf(): argument ${index + 1}: expected what enforceClientId(), validateJwt(), introspectToken() or anyOf() ` +
      `returned, not ${given ?? 'something else'}`,
  )
}
