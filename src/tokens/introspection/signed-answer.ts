import { issuerFault } from '../issuer-fault.js'
import { hostOf } from '../issuer-settings.js'
import { isObject, type JsonObject } from '../json-object.js'
import { readCompactJwt, type CompactJwt } from '../jwt/compact-jwt.js'
import { checkSignature, type SignatureVerdict } from '../jwt/signature.js'
import type { TrustedKeys } from '../keys/trusted-keys.js'

export const signedType = 'application/token-introspection+jwt'

/** How an answer has to be signed. */
export interface SignedAnswers {
  readonly keys: TrustedKeys
  readonly algorithms: readonly string[]
  /** Who we are in its `aud`. */
  readonly audience: string
}

/** Older is an answer to another question. */
const longestAgeSeconds = 60

/** RFC 9701 §5. Whatever is wrong with it is no fault of the token's. */
export async function readSigned(text: string, issuer: string, signed: SignedAnswers): Promise<JsonObject> {
  const where = hostOf(issuer)
  const jwt = readCompactJwt(text.trim())
  const wrong = jwt === undefined ? 'no JWT' : reasonAgainst(jwt, issuer, signed)
  if (jwt === undefined || wrong !== undefined) {
    throw issuerFault(where, 'answer', `its signed answer to a token introspection is not taken: ${wrong}.`)
  }
  if (!(await isSigned(jwt, signed.keys))) {
    throw issuerFault(where, 'answer', 'its answer to a token introspection is not signed with a key of its own.')
  }
  return jwt.payload['token_introspection'] as JsonObject
}

function reasonAgainst(
  { algorithm, type, payload }: CompactJwt,
  issuer: string,
  signed: SignedAnswers,
): string | undefined {
  const { iss, aud, iat } = payload
  if (!signed.algorithms.includes(algorithm)) return 'its algorithm'
  if (type !== signedType) return 'its typ'
  if (iss !== issuer) return 'its iss'
  if (aud !== signed.audience && !(Array.isArray(aud) && aud.includes(signed.audience))) return 'its aud'
  if (typeof iat !== 'number' || !(Math.abs(Date.now() / 1000 - iat) <= longestAgeSeconds)) return 'its iat'
  return isObject(payload['token_introspection']) ? undefined : 'its token_introspection'
}

async function isSigned(jwt: CompactJwt, keys: TrustedKeys): Promise<boolean> {
  const current = await keys.current()
  let signature: SignatureVerdict = await checkSignature(jwt, current)
  if (signature === 'unknown key') signature = await checkSignature(jwt, await keys.after(current, jwt.kid))
  return typeof signature === 'object' && keys.trusts(signature.kid)
}
