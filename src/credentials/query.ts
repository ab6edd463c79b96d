import { z } from 'zod'
import { checkOptions } from '../runtime/check.js'
import { clientIdChallenge, malformed, namedParts, pair, requireTwoPlaces, type CredentialsSource } from './source.js'

export interface QueryOptions {
  /** Parameter with the client ID. @default 'client_id' */
  readonly id?: string
  /** Parameter with the client secret. @default 'client_secret' */
  readonly secret?: string
}

const schema = z.strictObject({ id: z.string().min(1).optional(), secret: z.string().min(1).optional() })

/**
 * For callers that cannot set header fields. A compatibility mode: RFC 6749 §2.3.1 forbids secrets in the URI,
 * since URIs end up in logs, histories and `Referer`. Only what runs after the policy is spared the secret.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function query(options: QueryOptions = {}): CredentialsSource {
  const { id = 'client_id', secret = 'client_secret' } = checkOptions('query()', schema, options)
  requireTwoPlaces('query()', [id], [secret])
  return {
    name: 'query',
    read(request) {
      const parameters = request.query
      for (const name of parameters.keys()) if (isNested(name, id) || isNested(name, secret)) return malformed
      return pair(parameters.getAll(id), parameters.getAll(secret))
    },
    strip: { secret: { headers: [], query: [secret] }, all: { headers: [], query: [id, secret] } },
    vary: [],
    challenge: clientIdChallenge,
    parts: namedParts('query', id, secret),
  }
}

/** `client_id[]`, `client_id[a]` and `[client_id]`: what some query parsers turn into a value of that name. */
function isNested(name: string, base: string): boolean {
  return name.startsWith(`${base}[`) || name.startsWith(`[${base}]`)
}
