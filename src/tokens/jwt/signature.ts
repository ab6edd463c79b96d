import { compactVerify, errors, type CompactVerifyGetKey, type VerifyOptions } from 'jose'

/** Where several keys fit a token that names none: how many are tried, since each costs a signature. */
const maxTries = 10

/** Resolves when one of the keys has signed the token, and rejects as jose does when none has. */
export function verifySignature(token: string, find: CompactVerifyGetKey, options: VerifyOptions): Promise<unknown> {
  return compactVerify(token, find, options).catch((error: unknown) => {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return tryEach(error, token, options)
    throw error
  })
}

async function tryEach(
  candidates: errors.JWKSMultipleMatchingKeys,
  token: string,
  options: VerifyOptions,
): Promise<void> {
  let tries = 0
  for await (const key of candidates) {
    if (++tries > maxTries) break
    try {
      await compactVerify(token, key, options)
      return
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
    }
  }
  throw new errors.JWSSignatureVerificationFailed()
}
