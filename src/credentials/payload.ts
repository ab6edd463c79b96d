import { z } from 'zod'
import type { Body, BodyPath } from '../decisions/http-request.js'
import { andThen } from '../decisions/maybe-promise.js'
import { checkOptions, optionsFault } from '../runtime/check.js'
import { bodyPath, isWellFormed, pathOf } from './body-path.js'
import {
  absent,
  clientIdChallenge,
  malformed,
  namedParts,
  pair,
  tooLarge,
  type CredentialsSource,
  type Presented,
} from './source.js'

export interface PayloadOptions {
  /**
   * Member or field with the client ID: a name, a path with dots (`'auth.clientId'`), or the names of a path one by
   * one, for names that hold `.`, `$`, `/`, `[` or `]` themselves (`['auth', 'client.id']`). In a form a path is written
   * `auth[clientId]`. @default 'client_id'
   */
  readonly id?: string | readonly string[]
  /** The same for the client secret. @default 'client_secret' */
  readonly secret?: string | readonly string[]
  /** Larger bodies are refused (413), and no more than this is kept. 1 to 16 MiB. @default 65536 */
  readonly maxBytes?: number
}

const schema = z.strictObject({
  id: bodyPath.optional(),
  secret: bodyPath.optional(),
  maxBytes: z.number().int().min(1).max(16_777_216).optional(),
})
const where = 'payload()'

/**
 * For callers that send ID and secret in a JSON body or a form. The body is read before the client is known, up to
 * `maxBytes`, and handed on as it came; only a secret is taken out. Bodies of other types are none of its business.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function payload(options: PayloadOptions = {}): CredentialsSource {
  const checked: PayloadOptions = checkOptions(where, schema, options)
  const { id = 'client_id', secret = 'client_secret', maxBytes = 65_536 } = checked
  const [idPath, secretPath] = [pathOf(id), pathOf(secret)]
  requireApart(idPath, secretPath)
  return {
    name: 'payload',
    read: (request) => andThen(request.body(maxBytes), (body) => presentedIn(body, idPath, secretPath)),
    strip: {
      secret: { headers: [], query: [], body: [secretPath] },
      all: { headers: [], query: [], body: [idPath, secretPath] },
    },
    vary: [],
    challenge: clientIdChallenge,
    parts: namedParts('body', idPath.join('.'), secretPath.join('.')),
  }
}

const unread = { absent, too_large: tooLarge, unreadable: malformed }

function presentedIn(body: Body, idPath: BodyPath, secretPath: BodyPath): Presented {
  if (body.kind !== 'content') return unread[body.kind]
  const ids = body.textAt(idPath)
  const secrets = body.textAt(secretPath)
  if (ids === undefined || secrets === undefined) return malformed
  // Half a character has no bytes of its own: it would be checked as if it were another one.
  if (![...ids, ...secrets].every(isWellFormed)) return malformed
  const found = pair(ids, secrets)
  return found.kind === 'presented' && body.sealed ? { ...found, sealed: true } : found
}

/** Where one lies on the way to the other, one of them could never be a text. */
function requireApart(id: BodyPath, secret: BodyPath): void {
  const shared = Math.min(id.length, secret.length)
  if (id.slice(0, shared).some((step, index) => step !== secret[index])) return
  throw optionsFault(where, 'id and secret: expected two different places, neither of them inside of the other')
}
