import type { ClienteleFault } from '../decisions/faults.js'
import { boundedFetch, type FetchLimits } from '../runtime/bounded-fetch.js'
import type { JsonObject } from '../tokens/json-object.js'
import { issuerFault } from '../tokens/issuer-fault.js'
import { hostOf } from '../tokens/issuer-settings.js'
import { readIssuerAnswer, type IssuerAnswer } from './issuer-text.js'
import { refusedByProvider } from './provider-faults.js'

export interface IssuerQuestion {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  /** The value of the field `Authorization`. */
  readonly authorization: string | undefined
  readonly body?: object
  /** In a message: `to register a client`. */
  readonly doing: string
  /** Secrets in the body. */
  readonly secrets?: readonly string[]
  /** Answers a page of HTML, with a status of success, where it refuses. */
  readonly refusesByPage?: boolean
  /** Where it is to be removed, what is not there is as good. */
  readonly goneIsDone?: boolean
}

/**
 * Asks an issuer to do something. Resolves with an answer of success, whatever is in it. `onUnauthorized` is told of the
 * `Authorization` that the issuer takes no longer.
 */
export async function askIssuer(
  question: IssuerQuestion,
  limits: FetchLimits,
  onUnauthorized: (authorization: string) => void = () => undefined,
): Promise<IssuerAnswer> {
  const { method, url, authorization, body } = question
  const where = hostOf(url)
  const headers = {
    accept: 'application/json',
    ...(authorization !== undefined && { authorization }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  }
  let answer: IssuerAnswer
  try {
    const text = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await boundedFetch(url, { method, headers, ...text }, limits)
    answer = await readIssuerAnswer(response, secretsOf(question))
  } catch (cause) {
    throw issuerFault(where, 'unreachable', `there is no answer ${question.doing}.`, { cause })
  }
  if (answer.status === 401 && authorization !== undefined) onUnauthorized(authorization)
  if (question.goneIsDone === true && (answer.status === 404 || answer.status === 410)) return answer
  if (answer.status < 200 || answer.status > 299) throw refusal(where, question, answer)
  if (answer.json === undefined && question.refusesByPage === true)
    throw refusal(where, question, { ...answer, status: 400 })
  return answer
}

/** The object of an answer that has to be one. */
export function objectOf({ json, status }: IssuerAnswer, { url, doing }: IssuerQuestion): JsonObject {
  if (json !== undefined) return json
  throw issuerFault(hostOf(url), 'answer', `asked ${doing}, it answers ${String(status)} with no JSON object.`)
}

function refusal(where: string, { doing }: IssuerQuestion, answer: IssuerAnswer): ClienteleFault {
  const { status, words, retryAfterSeconds } = answer
  const said = `${String(status)}${words === '' ? ' without a word' : ` ${words}`}`
  if (status === 401 || status === 403) {
    return issuerFault(where, 'credentials', `it does not let us in ${doing}: ${said}`)
  }
  if (status === 429) {
    return issuerFault(where, 'throttled', `it asks to come back later ${doing}: ${said}`, { retryAfterSeconds })
  }
  if (status < 400 || status >= 500 || status === 408) {
    return issuerFault(where, 'status', `asked ${doing}, it answers ${said}`, { retryAfterSeconds })
  }
  return refusedByProvider(`The issuer at ${where} refuses ${doing}: ${said}`)
}

function secretsOf({ authorization = '', secrets = [] }: IssuerQuestion): readonly string[] {
  return [authorization, authorization.replace(/^\S+ /, ''), ...secrets]
}
