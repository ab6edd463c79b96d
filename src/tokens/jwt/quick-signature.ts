import { constants, createHmac, timingSafeEqual, verify, type KeyObject } from 'node:crypto'

type Check = (input: Buffer, key: KeyObject, signature: Buffer) => boolean

const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants

const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ...[256, 384, 512].flatMap((bits): [string, Check][] => [
    [`RS${bits}`, pkcs1(`sha${bits}`)],
    [`PS${bits}`, pss(`sha${bits}`)],
    [`HS${bits}`, hmac(`sha${bits}`)],
  ]),
  // The two numbers side by side, each as long as the curve (RFC 7518 §3.4).
  ['ES256', (input, key, signature) => verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, signature)],
  // RFC 8037 §3.1 and RFC 9864 §2.2: two names of one thing. The key says which curve.
  ...['EdDSA', 'Ed25519'].map((name): [string, Check] => [
    name,
    (input, key, signature) => verify(null, input, key, signature),
  ]),
])

/**
 * Checks a signature on the spot, where handing it to another thread and waiting for the answer takes longer than
 * the check. `token` is three parts in base64url, `key` one that is `quick` and of the kind that `algorithm` takes.
 */
export function isQuicklySigned(token: string, algorithm: string, key: KeyObject): boolean {
  const check = checks.get(algorithm)
  if (check === undefined) return false
  const end = token.lastIndexOf('.')
  // No bytes are that long in base64url, and the decoder would drop what stands over (jose refuses it).
  if ((token.length - end - 1) % 4 === 1) return false
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  return check(Buffer.from(token.slice(0, end), 'latin1'), key, signature)
}

function pkcs1(digest: string): Check {
  return (input, key, signature) => verify(digest, input, { key, padding: RSA_PKCS1_PADDING }, signature)
}

/**
 * With a salt as long as the digest (RFC 7518 §3.5). A signature is as long as the modulus (RFC 8017 §8.1.2): one
 * whose first byte is 0 would be taken without it too.
 */
function pss(digest: string): Check {
  const salted = { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST }
  return (input, key, signature) =>
    signature.length === Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8) &&
    verify(digest, input, { key, ...salted }, signature)
}

function hmac(digest: string): Check {
  return (input, key, signature) => {
    const expected = createHmac(digest, key).update(input).digest()
    return signature.length === expected.length && timingSafeEqual(signature, expected)
  }
}
