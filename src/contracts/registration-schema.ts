import { z } from 'zod'
import { redirectUriProblem } from './redirect-uri.js'
import { clientAuthMethods, registrationStates, type ClientMetadata, type Registration } from './registration.js'
import type { Shape } from './schema-shape.js'
import { actor, freeText, id, instant, issuer, version } from './schema-words.js'

const most = 50
const word = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/, 'expected 1 to 255 visible characters')

const redirectUri = z.string().superRefine((uri, context) => {
  const problem = redirectUriProblem(uri)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const publicKey = z
  .record(z.string().max(64), z.unknown())
  .refine((key) => privateMembers.every((member) => !Object.hasOwn(key, member)), {
    error: 'expected a public key, without its private members',
  })
  .refine((key) => !Object.hasOwn(key, 'x5u'), { error: 'x5u: expected no address; the issuer would fetch it' })
  .refine((key) => JSON.stringify(key).length <= 10_000, { error: 'expected at most 10,000 characters' })

/** Strict: a member that is not known here would go to the issuer unlooked at. */
export const clientMetadata = z.strictObject({
  name: freeText.refine((name) => !/\p{Cc}/u.test(name), { error: 'expected no control character' }),
  redirectUris: z.array(redirectUri).max(most).optional(),
  grantTypes: z.array(word).min(1).max(most).optional(),
  responseTypes: z
    .array(z.string().regex(/^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/, 'expected words'))
    .max(most)
    .optional(),
  scopes: z.array(word).max(most).optional(),
  authMethod: z.enum(clientAuthMethods).optional(),
  contacts: z.array(freeText).max(most).optional(),
  jwks: z.strictObject({ keys: z.array(publicKey).max(10) }).optional(),
} satisfies Shape<ClientMetadata>) satisfies z.ZodType<ClientMetadata>

export const registration = z.strictObject({
  id,
  version,
  provider: id,
  issuer,
  state: z.enum(registrationStates),
  client: id,
  owner: freeText.optional(),
  replaces: id.optional(),
  clientId: id.optional(),
  metadata: clientMetadata,
  secretEndsAt: instant.optional(),
  managementUri: z.url().max(2000).optional(),
  sealedToken: z
    .string()
    .regex(/^v\d+\.[0-9a-f]+\.[A-Za-z0-9_-]+$/, 'expected a sealed text')
    .max(30_000)
    .optional(),
  createdAt: instant,
  updatedAt: instant,
  updatedBy: actor,
} satisfies Shape<Registration>) satisfies z.ZodType<Registration>
