import type { MaybePromise } from '../../decisions/maybe-promise.js'
import { boundedFetch, type BoundedFetch, type FetchInit } from '../../runtime/bounded-fetch.js'
import { issuerFault } from '../issuer-fault.js'
import { hostOf, type IssuerSettings } from '../issuer-settings.js'
import { tlsFetch } from '../tls-fetch.js'
import { clientAuthentication, type IntrospectionClient } from './client-authentication.js'
import { readAnswer, type Answer, type AnswerForm } from './read-answer.js'
import { signedType } from './signed-answer.js'

export interface AskConfig extends AnswerForm {
  readonly settings: IssuerSettings
  readonly as: IntrospectionClient
  /** Says where to ask, each time anew. */
  readonly locate: () => MaybePromise<string>
}

/** Asks what a token is worth. Rejects with a `ClienteleFault` alone. */
export type Ask = (token: string) => Promise<Answer>

/** RFC 7662 §2.1. */
export function introspection(config: AskConfig): Ask {
  const { settings, as, signed, tokenInfo, locate } = config
  const authenticate = clientAuthentication(as, settings.issuer)
  const send: BoundedFetch = as.method === 'mutual_tls' ? tlsFetch(as) : boundedFetch
  const question = tokenInfo ?? { method: 'POST', parameter: 'token' }

  return async (token) => {
    const endpoint = await locate()
    const form = new URLSearchParams([[question.parameter, token]])
    if (tokenInfo === undefined) form.set('token_type_hint', 'access_token')
    const headers: Record<string, string> = { accept: signed === undefined ? 'application/json' : signedType }
    try {
      await authenticate({ headers, form })
      const response = await send(...requestOf(endpoint, question.method, headers, form), settings)
      return await readAnswer(response, hostOf(endpoint), settings.issuer, config)
    } catch (cause) {
      throw issuerFault(hostOf(endpoint), 'answer', 'its answer to a token introspection is none.', { cause })
    }
  }
}

function requestOf(
  endpoint: string,
  method: 'GET' | 'POST',
  headers: Record<string, string>,
  form: URLSearchParams,
): [url: string, init: FetchInit] {
  if (method === 'POST') {
    headers['content-type'] = 'application/x-www-form-urlencoded'
    return [endpoint, { method, headers, body: form.toString() }]
  }
  const url = new URL(endpoint)
  for (const [name, value] of form) url.searchParams.append(name, value)
  return [url.href, { method, headers }]
}
