import { ClienteleFault } from '../decisions/faults.js'

/** The issuer, or the provider itself, has refused: nothing was made or changed. */
export function refusedByProvider(message: string): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_PROVIDER', message)
}

/** It never came to a connection. */
const notSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
/** Said before anything was done. */
const refusedBefore = new Set(['credentials', 'throttled', 'metadata', 'not_sent'])

/** For what has to be had before the issuer can be asked at all: a token, an address. */
export async function beforehand<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (!(cause instanceof ClienteleFault) || cause.code !== 'ERR_CLIENTELE_ISSUER') throw cause
    const { message, retryAfterSeconds } = cause
    throw new ClienteleFault(cause.code, message, { reason: 'not_sent', retryAfterSeconds, cause })
  }
}

/** Whether it is sure that the issuer has done nothing. A timeout or half an answer is not. */
export function nothingWasDone(error: unknown): boolean {
  if (!(error instanceof ClienteleFault)) return false
  if (error.code === 'ERR_CLIENTELE_PROVIDER') return true
  if (error.code !== 'ERR_CLIENTELE_ISSUER') return false
  const { code } = (error.cause ?? {}) as { readonly code?: unknown }
  return refusedBefore.has(error.reason ?? '') || (typeof code === 'string' && notSent.has(code))
}
