import type { ServerResponse } from 'node:http'
import type { Outcome } from '../decisions/policy.js'
import { onClose } from '../http/on-close.js'
import { contain } from './contain.js'

/** A response that is never ended must not hold what it was given for ever. */
const settleMaxAgeMs = 5 * 60_000

/**
 * Calls `settle` once, when the response is over and the handler with it. A connection that closes early ends
 * the response but not the handler: that one is over when it ends the response in vain, or when `handler`
 * resolves, or after the maximum age.
 */
export function settleWhenOver(
  response: ServerResponse,
  settle: (outcome: Outcome) => void,
  maxAgeMs = settleMaxAgeMs,
): { handlerOver: () => void } {
  // Held, because the response lets go of its socket before it closes.
  const { socket } = response
  const bytesBefore = socket?.bytesWritten ?? 0
  let pending = true
  let closed = false
  const finish = (): void => {
    if (!pending) return
    pending = false
    clearTimeout(timer)
    const bytes = (socket?.bytesWritten ?? 0) - bytesBefore
    contain(settle, { status: response.statusCode, bytes, aborted: !response.writableFinished })
  }
  const timer = setTimeout(finish, maxAgeMs).unref()
  onClose(response, () => {
    closed = true
    if (response.writableEnded) finish()
    else onVainEnd(response, finish)
  })
  return {
    handlerOver: () => {
      if (closed) finish()
    },
  }
}

/** A handler that outlived its connection ends the response all the same; no event tells of it. */
function onVainEnd(response: ServerResponse, ended: () => void): void {
  const end = response.end.bind(response) as (...parameters: unknown[]) => ServerResponse
  response.end = ((...parameters: unknown[]) => {
    ended()
    return end(...parameters)
  }) as ServerResponse['end']
}
