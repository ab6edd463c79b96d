import { z } from 'zod'
import type { HttpRequest } from '../decisions/http-request.js'
import { checkOptions } from '../runtime/check.js'
import { fieldName } from './field-name.js'
import { clientIdChallenge, malformed, namedParts, pair, requireTwoPlaces, type CredentialsSource } from './source.js'
import { textOfField } from './text.js'

export interface HeadersOptions {
  /** Field with the client ID. @default 'client_id' */
  readonly id?: string
  /** Field with the client secret. @default 'client_secret' */
  readonly secret?: string
}

const schema = z.strictObject({ id: fieldName.optional(), secret: fieldName.optional() })

/**
 * For callers that send ID and secret in two header fields of their own. A name with an underscore is looked
 * up with a hyphen too, because many proxies drop the former; both at once is malformed.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function headers(options: HeadersOptions = {}): CredentialsSource {
  const { id = 'client_id', secret = 'client_secret' } = checkOptions('headers()', schema, options)
  const idNames = spellings(id)
  const secretNames = spellings(secret)
  requireTwoPlaces('headers()', idNames, secretNames)
  return {
    name: 'headers',
    read(request) {
      const ids = valuesOf(request, idNames)
      // No ID holds a comma: this one was joined of two by a proxy.
      if (ids[0]?.includes(',') === true) return malformed
      return pair(ids, valuesOf(request, secretNames).map(textOfField))
    },
    strip: {
      secret: { headers: secretNames, query: [] },
      all: { headers: [...idNames, ...secretNames], query: [] },
    },
    vary: [...idNames, ...secretNames],
    challenge: clientIdChallenge,
    parts: namedParts('header', id, secret),
  }
}

function spellings(name: string): readonly string[] {
  return [...new Set([name.toLowerCase(), name.toLowerCase().replaceAll('_', '-')])]
}

function valuesOf(request: HttpRequest, names: readonly string[]): readonly string[] {
  let values: readonly string[] = []
  for (const name of names) {
    const found = request.headerValues(name)
    if (found.length > 0) values = values.length === 0 ? found : [...values, ...found]
  }
  return values
}
