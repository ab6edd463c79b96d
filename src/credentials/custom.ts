import { z } from 'zod'
import type { HttpRequest } from '../decisions/http-request.js'
import { andThen, type MaybePromise } from '../decisions/maybe-promise.js'
import { checkOptions } from '../runtime/check.js'
import { bodyPath, pathOf } from './body-path.js'
import { fieldName } from './field-name.js'
import { absent, clientIdChallenge, malformed, pair, type CredentialsSource, type Presented } from './source.js'

/** What a function of one's own found: `undefined` for nothing, else an ID and perhaps a secret. */
export type CustomRead = (
  request: HttpRequest,
) => MaybePromise<{ readonly clientId: string; readonly clientSecret?: string } | undefined>

export interface CustomOptions {
  /** Header fields that it reads: those with the secret are taken out, and `Vary` names them. @default [] */
  readonly headers?: readonly string[]
  /** Query parameters that it reads and that hold the secret. @default [] */
  readonly query?: readonly string[]
  /**
   * Places in a JSON body or a form that it reads and that hold the secret, each written like `secret` of
   * `payload()`. Only of a body that it has asked for (`request.body()`), or that a parser has read, can anything be
   * taken out. @default []
   */
  readonly body?: readonly (string | readonly string[])[]
}

const schema = z.strictObject({
  headers: z.array(fieldName).readonly().optional(),
  query: z.array(z.string().min(1)).readonly().optional(),
  body: z.array(bodyPath).readonly().optional(),
})

/**
 * For credentials in a place of one's own: a cookie, a certificate field, a path segment. Anything but a string
 * per value is refused as malformed. What the function throws goes to the application.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function custom(read: CustomRead, options: CustomOptions = {}): CredentialsSource {
  const { headers = [], query = [], body = [] } = checkOptions('custom()', schema, options)
  const fields = { headers: headers.map((name) => name.toLowerCase()), query }
  const places = body.length === 0 ? fields : { ...fields, body: body.map(pathOf) }
  return {
    name: 'custom',
    read: (request) => andThen(read(request), presentedOf),
    strip: { secret: places, all: places },
    vary: fields.headers,
    challenge: clientIdChallenge,
    parts: [{ kind: 'custom' }],
  }
}

function presentedOf(found: unknown): Presented {
  if (found === undefined || found === null) return absent
  if (typeof found !== 'object') return malformed
  const { clientId, clientSecret } = found as { clientId?: unknown; clientSecret?: unknown }
  if (typeof clientId !== 'string') return malformed
  if (clientSecret !== undefined && typeof clientSecret !== 'string') return malformed
  return pair([clientId], clientSecret === undefined ? [] : [clientSecret])
}
