import { localIssuer } from '../../contracts/model.js'
import type { FetchLimits } from '../../runtime/bounded-fetch.js'
import type { JsonObject } from '../../tokens/json-object.js'
import { accessTokens } from '../access-token.js'
import { askIssuer, objectOf, type IssuerQuestion } from '../ask-issuer.js'
import { beforehand } from '../provider-faults.js'

export interface GraphSettings extends FetchLimits {
  readonly tenant: string
  readonly clientId: string
  readonly clientSecret: string
  /** `https://login.microsoftonline.com`. */
  readonly loginUrl: string
  /** `https://graph.microsoft.com`. */
  readonly graphUrl: string
}

/** Asks Microsoft Graph, with a token of our own by client_credentials. */
export type AskGraph = (
  method: IssuerQuestion['method'],
  path: string,
  doing: string,
  extra?: { readonly body?: object; readonly goneIsDone?: boolean },
) => Promise<JsonObject>

export function graph(settings: GraphSettings): AskGraph {
  const { tenant, clientId, clientSecret, loginUrl, graphUrl, ...limits } = settings
  const tokenUrl = `${loginUrl}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`
  const tokens = accessTokens({
    ...limits,
    // Entra does not take what RFC 6749 §2.3.1 makes of a secret in Basic everywhere; in the form it is what it is.
    as: { method: 'post', clientId, clientSecret },
    issuer: localIssuer,
    tokenEndpoint: () => Promise.resolve(tokenUrl),
    form: { scope: `${graphUrl}/.default` },
    secrets: [clientSecret],
  })
  return async (method, path, doing, extra = {}) => {
    const authorization = await beforehand(tokens.authorization())
    const question = { method, url: `${graphUrl}/v1.0${path}`, authorization, doing, ...extra }
    const answer = await askIssuer(question, limits, tokens.refused)
    // 204, or a 404 that is as good.
    return method === 'GET' || method === 'POST'
      ? (answer.json ?? emptyOr(answer.status, () => objectOf(answer, question)))
      : {}
  }
}

function emptyOr(status: number, otherwise: () => JsonObject): JsonObject {
  return status === 204 ? {} : otherwise()
}
