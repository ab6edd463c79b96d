import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { createSecureContext } from 'node:tls'
import {
  answerOf,
  FetchTrouble,
  isRedirect,
  readBytes,
  troubleOf,
  type BoundedFetch,
} from '../runtime/bounded-fetch.js'

/** Who we are in a TLS handshake, all as PEM. */
export interface TlsIdentity {
  readonly certificate: string
  readonly privateKey: string
  /** Whom we believe to be the server. `undefined`: whom Node does. */
  readonly ca: string | undefined
}

/**
 * `boundedFetch` with a client certificate, which the `fetch` of Node cannot send. Throws what `node:tls` does where
 * certificate and key cannot be used, or do not belong together.
 */
export function tlsFetch({ certificate, privateKey, ca }: TlsIdentity): BoundedFetch {
  const secureContext = createSecureContext({ cert: certificate, key: privateKey, ca })
  const agent = new Agent({ keepAlive: true, secureContext })
  return async (url, { method, headers, body }, limits) => {
    const signal = AbortSignal.timeout(limits.timeoutMs)
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        // Nothing here decompresses.
        const fields = { ...headers, 'accept-encoding': 'identity' }
        request(url, { method, headers: fields, agent, signal }, resolve).on('error', reject).end(body)
      })
      const status = response.statusCode ?? 0
      if (isRedirect(status)) {
        response.destroy()
        throw new FetchTrouble('redirected')
      }
      return answerOf(status, fieldsOf(response), await readBytes(response, limits.maxResponseBytes))
    } catch (error) {
      throw troubleOf(error, signal)
    }
  }
}

function fieldsOf({ headersDistinct }: IncomingMessage): Headers {
  const fields = new Headers()
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) fields.append(name, value)
  }
  return fields
}
