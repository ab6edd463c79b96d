import { absent, malformed, type CredentialsSource, type Presented } from './source.js'
import { formDecoded, textOfBytes } from './text.js'

const places = { headers: ['authorization'], query: [] }
const token68 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/
// eslint-disable-next-line no-control-regex
const control = /[\x00-\x1f\x7f]/

/**
 * For callers that use HTTP Basic (RFC 7617). OAuth clients form-encode ID and secret first (RFC 6749 §2.3.1),
 * curl and browsers do not: a secret is good in either reading. The challenge makes browsers open a log-in box.
 */
export function basicAuth(): CredentialsSource {
  return {
    name: 'basicAuth',
    read(request) {
      const values = request.headerValues('authorization')
      if (!values.some(isBasic)) return absent
      const [value] = values
      return values.length === 1 && value !== undefined ? readBasic(value) : malformed
    },
    strip: { secret: places, all: places },
    vary: undefined,
    parts: [{ kind: 'basic' }],
    challenge: (realm) => ({ scheme: 'Basic', parameters: { realm, charset: 'UTF-8' } }),
  }
}

function isBasic(value: string): boolean {
  return /^basic(?: |$)/i.test(value)
}

function readBasic(value: string): Presented {
  const encoded = value.slice('basic '.length)
  if (encoded === '' || !token68.test(encoded)) return malformed
  const text = textOfBytes(Buffer.from(encoded, 'base64'))
  const colon = text.indexOf(':')
  if (colon < 1 || control.test(text)) return malformed
  const clientId = text.slice(0, colon)
  // No ID holds a `%`, so there is one way to read it.
  const decodedId = clientId.includes('%') ? formDecoded(clientId) : clientId
  if (decodedId === undefined || decodedId === '') return malformed
  return { kind: 'presented', clientId: decodedId, readings: readingsOf(text.slice(colon + 1)) }
}

/** An empty password is no secret at all: RFC 6749 §2.3.1 lets it be left out. */
function readingsOf(secret: string): readonly string[] {
  if (secret === '') return []
  const decoded = /[%+]/.test(secret) ? formDecoded(secret) : undefined
  return decoded === undefined || decoded === secret ? [secret] : [secret, decoded]
}
