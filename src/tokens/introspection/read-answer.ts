import { mistypedClaim } from '../claim-terms.js'
import { issuerFault } from '../issuer-fault.js'
import { parseJsonObject, type JsonObject } from '../json-object.js'
import { secondsOf, statusFault } from './refused-question.js'
import { readSigned, signedType, type SignedAnswers } from './signed-answer.js'
import { readTokenInfo, type TokenInfo } from './token-info.js'

/** What an answer has to look like; `undefined` of both: JSON as in RFC 7662. */
export interface AnswerForm {
  /** Signed (RFC 9701). */
  readonly signed: SignedAnswers | undefined
  /** Of an endpoint that is not that of RFC 7662. */
  readonly tokenInfo: TokenInfo | undefined
}

export interface Answer {
  /** With `active`, as RFC 7662 §2.2 has it. */
  readonly members: JsonObject
  /** What the answer says of its own lifetime. */
  readonly maxAgeSeconds: number | undefined
}

const inactive: JsonObject = { active: false }

/** Rejects with a `ClienteleFault` for what is no answer about the token. `where`: the host that was asked. */
export async function readAnswer(response: Response, where: string, issuer: string, form: AnswerForm): Promise<Answer> {
  const text = await response.text()
  const type = mediaTypeOf(response)
  const json = type === 'application/json' ? parseJsonObject(text) : undefined
  const maxAgeSeconds = secondsOf(response)
  if (response.status !== 200) {
    if (isAboutTheToken(json?.['error'], form.tokenInfo)) return { members: inactive, maxAgeSeconds }
    throw statusFault(where, response, json)
  }
  const wanted = form.signed === undefined ? 'application/json' : signedType
  // A signed answer that was not asked for would not have its signature checked, and one that was is not to be had without.
  if (type !== wanted)
    throw issuerFault(where, 'answer', `it answers an introspection with another type than ${wanted}.`)
  const members =
    form.signed === undefined ? plain(json, where, form.tokenInfo) : await readSigned(text, issuer, form.signed)
  requireTypes(members, where)
  return { members, maxAgeSeconds }
}

function requireTypes(members: JsonObject, where: string): void {
  if (typeof members['active'] !== 'boolean') {
    throw issuerFault(where, 'answer', 'its answer to a token introspection does not say whether the token is active.')
  }
  const mistyped = members['active'] ? mistypedClaim(members) : undefined
  if (mistyped === undefined) return
  throw issuerFault(where, 'answer', `its answer to a token introspection has ${mistyped} of a wrong type.`)
}

function plain(json: JsonObject | undefined, where: string, tokenInfo: TokenInfo | undefined): JsonObject {
  if (json === undefined) throw issuerFault(where, 'answer', 'its answer to a token introspection is none.')
  return tokenInfo === undefined ? json : readTokenInfo(json, where)
}

/** Errors by which a server says that it does not know such tokens. All others are about us. */
function isAboutTheToken(error: unknown, tokenInfo: TokenInfo | undefined): boolean {
  return error === 'unsupported_token_type' || (tokenInfo !== undefined && error === 'invalid_token')
}

function mediaTypeOf(response: Response): string {
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';')
  return type.trim().toLowerCase()
}
