import { z } from 'zod'
import { limitList } from './limit-schemas.js'
import {
  lifecycleSteps,
  type AuditEntry,
  type AuditHead,
  type Client,
  type Contract,
  type Identity,
  type IdentityLink,
  type Revocation,
  type Tier,
} from './model.js'
import { registration } from './registration-schema.js'
import { follower, webhook } from './notification-schemas.js'
import { readSecret, storedSecret } from './secret-schemas.js'
import type { Shape } from './schema-shape.js'
import { actor, apiName, entry, freeText, id, instant, issuer, longText, tierName, version } from './schema-words.js'

const identityShape = { issuer, clientId: id } satisfies Shape<Identity>

const clientIdentity = z.strictObject(identityShape)
const maximumIdentities = 100
const maximumSecrets = 20

const client = z.strictObject({
  id,
  version,
  name: freeText,
  owner: freeText.optional(),
  type: z.enum(['confidential', 'public']),
  state: z.enum(['active', 'disabled']),
  identities: z.array(clientIdentity).max(maximumIdentities),
  secrets: z.array(storedSecret).max(maximumSecrets),
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
  requestedBy: actor.optional(),
  limits: limitList.optional(),
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
  automaticPerOwner: z.int().min(1).optional(),
  state: z.enum(['active', 'deprecated']),
  limits: limitList,
  updatedAt: instant,
  updatedBy: actor,
} satisfies Shape<Tier>) satisfies z.ZodType<Tier>

const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'expected a SHA-256 digest in base64url')

const audit = z.strictObject({
  entry,
  version: z.literal(1),
  at: instant,
  actor,
  step: z.enum(lifecycleSteps),
  client: id.optional(),
  api: apiName.optional(),
  tier: tierName.optional(),
  requestedTier: tierName.optional(),
  state: z.string().max(64).optional(),
  issuer: issuer.optional(),
  clientId: id.optional(),
  secret: id.optional(),
  target: z.string().max(2100).optional(),
  webhook: id.optional(),
  reason: longText.optional(),
  previous: digest,
  hash: digest,
} satisfies Shape<AuditEntry>) satisfies z.ZodType<AuditEntry>

const log = z.literal('lifecycle')
const auditHead = z.strictObject({
  log,
  version,
  hash: digest,
} satisfies Shape<AuditHead>) satisfies z.ZodType<AuditHead>

const target = z.custom<Revocation['target']>(
  (text) => typeof text === 'string' && /^(?:token|subject|client):[^]{1,2000}$/.test(text),
  'expected token:, subject: or client: and 1 to 2000 characters',
)

const revocation = z.strictObject({
  issuer,
  target,
  version,
  issuedBefore: instant.optional(),
  endsAt: instant.optional(),
  reason: longText.optional(),
  createdAt: instant,
  updatedAt: instant,
  updatedBy: actor,
} satisfies Shape<Revocation>) satisfies z.ZodType<Revocation>

/** What a record of each kind must look like, when it is written and when it is first read. */
export const recordSchemas = {
  client,
  identity,
  contract,
  revocation,
  tier,
  registration,
  audit,
  'audit-head': auditHead,
  follower,
  webhook,
} as const

/** `null` for a member that is not there, as in a row of SQL. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null))
}

const readClient = client.extend({
  identities: z.array(z.preprocess(withoutNulls, clientIdentity.strip())).max(maximumIdentities),
  secrets: z.array(z.preprocess(withoutNulls, readSecret)).max(maximumSecrets),
})

/**
 * The same for records that somebody else keeps: members that are not known here are passed over, so that an older
 * process reads what a newer one wrote. Limits are not: one that is half understood would be another limit.
 */
export const readSchemas = {
  client: z.preprocess(withoutNulls, readClient.strip()),
  contract: z.preprocess(withoutNulls, contract.strip()),
  tier: z.preprocess(withoutNulls, tier.strip()),
} as const

/** What a record of each kind is found by. */
export const keySchemas = {
  client: z.strictObject({ id }),
  identity: z.strictObject(identityShape),
  contract: z.strictObject({ client: id, api: apiName }),
  revocation: z.strictObject({ issuer, target }),
  tier: z.strictObject({ api: apiName, name: tierName }),
  registration: z.strictObject({ id }),
  audit: z.strictObject({ entry }),
  'audit-head': z.strictObject({ log }),
  follower: z.strictObject({ name: id }),
  webhook: z.strictObject({ id }),
} as const
