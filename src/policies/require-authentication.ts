import { z } from 'zod'
import type { Policy } from '../decisions/policy.js'
import { checkOptions, optionsFault } from '../runtime/check.js'
import type { PolicyContext } from './context.js'
import { describeRequirement } from './descriptions.js'
import { assertAdmitted, furtherChallenges, passed } from './requirements.js'
import { tokenRefusal } from './token-challenges.js'
import { seconds } from './token-options.js'

/** How, and how recently, the user of a token has to be authenticated. At least one of the first two. */
export interface RequireAuthenticationOptions {
  /** The `acr` of the token has to be one of these; the most wanted first. @default any */
  readonly acrValues?: readonly string[]
  /** How long ago `auth_time` may be; whole, 0 to 31,536,000. @default however long */
  readonly maxAgeSeconds?: number
  /** By how much clocks may differ; 0 to 300. @default 5 */
  readonly clockToleranceSeconds?: number
}

/** Space-separated in a challenge (RFC 9470 §3). */
const acrValue = z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'expected visible ASCII without space, " and \\')
const optionsSchema = z.strictObject({
  acrValues: z.array(acrValue).min(1).readonly().optional(),
  maxAgeSeconds: z.int().min(0).max(31_536_000).optional(),
  clockToleranceSeconds: seconds(0, 300).optional(),
})
const name = 'requireAuthentication'

/**
 * Step-up (RFC 9470): for routes behind a token policy that need a user who was authenticated in a certain way, or
 * not long ago. Otherwise 401 `insufficient_user_authentication`, which tells the client what to ask the issuer for. A
 * token without `acr` or `auth_time` does not say enough.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS` when built, `ERR_CLIENTELE_NOT_PROTECTED` where nobody is identified.
 */
export function requireAuthentication(context: PolicyContext, options: RequireAuthenticationOptions): Policy {
  const checked: RequireAuthenticationOptions = checkOptions(`${name}()`, optionsSchema, options)
  const { acrValues, maxAgeSeconds } = checked
  if (acrValues === undefined && maxAgeSeconds === undefined) {
    throw optionsFault(`${name}()`, 'expected acrValues or maxAgeSeconds')
  }
  const challenges = furtherChallenges(context, {
    error: 'insufficient_user_authentication',
    ...(acrValues !== undefined && { acr_values: acrValues.join(' ') }),
    ...(maxAgeSeconds !== undefined && { max_age: String(maxAgeSeconds) }),
  })
  return {
    name,
    description: describeRequirement('authentication_insufficient'),
    decide: (request, admission) => {
      assertAdmitted(name, context.api, admission)
      const lack = lackOf(admission.claims ?? {}, checked)
      return lack === undefined
        ? passed
        : tokenRefusal('authentication_insufficient', challenges(request), { reason: `claim:${lack}` })
    },
  }
}

function lackOf(
  { acr, auth_time: at }: Readonly<Record<string, unknown>>,
  { acrValues, maxAgeSeconds, clockToleranceSeconds = 5 }: RequireAuthenticationOptions,
): 'acr' | 'auth_time' | undefined {
  if (acrValues !== undefined && !(typeof acr === 'string' && acrValues.includes(acr))) return 'acr'
  if (maxAgeSeconds === undefined) return undefined
  const ageSeconds = typeof at === 'number' ? Date.now() / 1000 - at : NaN
  const recent = ageSeconds <= maxAgeSeconds + clockToleranceSeconds && ageSeconds >= -clockToleranceSeconds
  return recent ? undefined : 'auth_time'
}
