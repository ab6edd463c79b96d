import { errors, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from 'jose'
import type { JsonObject } from '../json-object.js'

/** Where several keys fit a token that names none: how many are tried, since each costs a signature. */
const maxTries = 10

/** The claims of a token that one of the keys has signed. Rejects as jose does. */
export async function signedClaims(
  token: string,
  find: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JsonObject> {
  try {
    return (await jwtVerify(token, find, options)).payload
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return tryEach(error, token, options)
    throw error
  }
}

async function tryEach(
  candidates: errors.JWKSMultipleMatchingKeys,
  token: string,
  options: JWTVerifyOptions,
): Promise<JsonObject> {
  let tries = 0
  for await (const key of candidates) {
    if (++tries > maxTries) break
    try {
      return (await jwtVerify(token, key, options)).payload
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
    }
  }
  throw new errors.JWSSignatureVerificationFailed()
}
