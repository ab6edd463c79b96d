import type { Policy } from '../decisions/policy.js'
import { checkOptions, optionsFault } from '../runtime/check.js'
import { claimRules, unmetRule, type ClaimCheck } from '../tokens/claim-rules.js'
import type { PolicyContext } from './context.js'
import { describeRequirement } from './descriptions.js'
import { assertAdmitted, passed } from './requirements.js'
import { tokenRefusal } from './token-challenges.js'
import { claimsSchema } from './token-options.js'

const name = 'requireClaims'
const none: Readonly<Record<string, unknown>> = Object.freeze({})

/**
 * For routes behind a token policy that ask for claims: a value, a list of values, a function or a schema for each.
 * Not met is 403, since the token is good and another request may do with it. Whoever was let in by other credentials
 * has no claims.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS` when built, `ERR_CLIENTELE_NOT_PROTECTED` where nobody is identified.
 */
export function requireClaims(context: PolicyContext, claims: Readonly<Record<string, ClaimCheck>>): Policy {
  const rules = claimRules(checkOptions(`${name}()`, claimsSchema, claims))
  if (rules.length === 0) throw optionsFault(`${name}()`, 'expected at least one claim')
  return {
    name,
    description: describeRequirement('claims_insufficient'),
    decide: (_request, admission) => {
      assertAdmitted(name, context.api, admission)
      const unmet = unmetRule(rules, admission.claims ?? none)
      return unmet === undefined ? passed : tokenRefusal('claims_insufficient', undefined, { reason: `claim:${unmet}` })
    },
  }
}
