import { z } from 'zod'
import { limitAlgorithms, windowBounds } from '../decisions/admission.js'
import type { Client, Contract, Identity, IdentityLink, Limit, Tier } from './model.js'
import { storedSecret } from './secret-schemas.js'
import type { Shape } from './schema-shape.js'
import { actor, apiName, freeText, id, instant, issuer, longText, tierName, version } from './schema-words.js'

const limit = z.strictObject({
  requests: z.int().min(1),
  windowSeconds: z.number().min(windowBounds.shortestSeconds).max(windowBounds.longestSeconds),
  algorithm: z.enum(limitAlgorithms),
} satisfies Shape<Limit>) satisfies z.ZodType<Limit>

/** Two limits of one algorithm and window would be one counter with two ceilings. */
function listOf<T extends z.ZodType<Limit>>(one: T) {
  return z
    .array(one)
    .min(1)
    .max(20)
    .refine((limits) => new Set(limits.map(windowOf)).size === limits.length, {
      error: 'two limits have the same algorithm and window; keep the lower one',
    })
}

function windowOf({ algorithm, windowSeconds }: Limit): string {
  return `${algorithm} ${String(windowSeconds)}`
}

const limitList = listOf(limit)

/** As people write them: `fixed` where no algorithm is named. */
export const limitInputs = listOf(limit.extend({ algorithm: limit.shape.algorithm.default('fixed') }))

export const identityShape = { issuer, clientId: id } satisfies Shape<Identity>

const client = z.strictObject({
  id,
  version,
  name: freeText,
  owner: freeText.optional(),
  type: z.enum(['confidential', 'public']),
  state: z.enum(['active', 'disabled']),
  identities: z.array(z.strictObject(identityShape)).max(100),
  secrets: z.array(storedSecret).max(20),
  createdAt: instant,
  updatedAt: instant,
  updatedBy: actor,
} satisfies Shape<Client>) satisfies z.ZodType<Client>

const identity = z.strictObject({
  ...identityShape,
  version,
  client: id.nullable(),
  barredApis: z.array(apiName).optional(),
} satisfies Shape<IdentityLink>) satisfies z.ZodType<IdentityLink>

const contract = z.strictObject({
  client: id,
  api: apiName,
  version,
  state: z.enum(['pending', 'approved', 'rejected', 'revoked']),
  tier: tierName.optional(),
  requestedTier: tierName.optional(),
  reason: longText.optional(),
  barred: z.boolean(),
  createdAt: instant,
  updatedAt: instant,
  updatedBy: actor,
} satisfies Shape<Contract>) satisfies z.ZodType<Contract>

const tier = z.strictObject({
  api: apiName,
  name: tierName,
  version,
  description: longText.optional(),
  approval: z.enum(['automatic', 'manual']),
  state: z.enum(['active', 'deprecated']),
  limits: limitList,
  updatedAt: instant,
  updatedBy: actor,
} satisfies Shape<Tier>) satisfies z.ZodType<Tier>

/** What a record of each kind must look like, when it is written and when it is first read. */
export const recordSchemas = { client, identity, contract, tier } as const

/** The same for records that somebody else keeps: what a newer version has added is passed over. */
export const readSchemas = {
  client: client.strip(),
  identity: identity.strip(),
  contract: contract.strip(),
  tier: tier.strip(),
} as const

/** What a record of each kind is found by. */
export const keySchemas = {
  client: z.strictObject({ id }),
  identity: z.strictObject(identityShape),
  contract: z.strictObject({ client: id, api: apiName }),
  tier: z.strictObject({ api: apiName, name: tierName }),
} as const
