import type { Policy } from '../decisions/policy.js'
import { checkOptions } from '../runtime/check.js'
import { satisfies, scopesText, type Scopes } from '../tokens/scopes.js'
import type { PolicyContext } from './context.js'
import { describeRequirement } from './descriptions.js'
import { assertAdmitted, furtherChallenges, passed } from './requirements.js'
import { tokenRefusal } from './token-challenges.js'
import { scopesSchema } from './token-options.js'

const name = 'requireScopes'
const none: readonly string[] = []

/**
 * For routes behind a token policy that need more than it asks for: the scopes of the token, all of a list or one of
 * `any`. Whoever was let in by other credentials has none.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS` when built, `ERR_CLIENTELE_NOT_PROTECTED` where nobody is identified.
 */
export function requireScopes(context: PolicyContext, scopes: Scopes): Policy {
  const wanted: Scopes = checkOptions(`${name}()`, scopesSchema, scopes)
  const challenges = furtherChallenges(context, { error: 'insufficient_scope', scope: scopesText(wanted) })
  return {
    name,
    description: describeRequirement('scope_insufficient', wanted),
    decide: (request, admission) => {
      assertAdmitted(name, context.api, admission)
      if (satisfies(admission.scopes ?? none, wanted)) return passed
      return tokenRefusal('scope_insufficient', challenges(request))
    },
  }
}
