import type { ServerResponse } from 'node:http'
import type { Outcome } from '../decisions/policy.js'
import { onClose } from '../http/on-close.js'
import { contain } from '../runtime/contain.js'
import type { Exchange } from './exchange.js'

/** A response that is never ended must not hold what it was given for ever. */
const settleMaxAgeMs = 5 * 60_000

export interface Settling {
  /** The handler is over. `failedStatus` is what a framework is going to make of what it threw. */
  handlerOver(failedStatus?: number): void
}

type Answered = Pick<Exchange, 'response'> & Partial<Pick<Exchange, 'refusal' | 'actualCost'>>

/**
 * Calls `settle` once, when the response is over and the handler with it. A connection that closes early ends
 * the response but not the handler: that one is over when it ends the response in vain, or when `handler`
 * resolves, or after the maximum age.
 */
export function settleWhenOver(
  exchange: Answered,
  settle: (outcome: Outcome) => unknown,
  maxAgeMs = settleMaxAgeMs,
): Settling {
  return new Settlement(exchange, settle, maxAgeMs)
}

class Settlement implements Settling {
  readonly #exchange: Answered
  readonly #settle: (outcome: Outcome) => unknown
  readonly #timer: NodeJS.Timeout
  /** Held, because the response lets go of its socket before it closes. */
  readonly #socket: ServerResponse['socket']
  readonly #bytesBefore: number
  #pending = true
  #closed = false
  #handled = false
  #failedStatus: number | undefined

  constructor(exchange: Answered, settle: (outcome: Outcome) => unknown, maxAgeMs: number) {
    const { response } = exchange
    this.#exchange = exchange
    this.#settle = settle
    this.#socket = response.socket
    this.#bytesBefore = response.socket?.bytesWritten ?? 0
    this.#timer = setTimeout(() => {
      this.#finish(!response.headersSent)
    }, maxAgeMs).unref()
    onClose(response, () => {
      this.#closed = true
      if (this.#handled || response.writableEnded) this.#finish()
      else
        onVainEnd(response, () => {
          this.#finish()
        })
    })
  }

  handlerOver(failedStatus?: number): void {
    this.#handled = true
    this.#failedStatus = failedStatus
    if (this.#closed) this.#finish()
  }

  #finish(unfinished?: boolean): void {
    if (!this.#pending) return
    this.#pending = false
    clearTimeout(this.#timer)
    const { response, refusal, actualCost } = this.#exchange
    const status = statusOf(response, this.#failedStatus)
    const bytes = (this.#socket?.bytesWritten ?? 0) - this.#bytesBefore
    const aborted = !response.writableFinished
    contain(this.#settle, { status, bytes, aborted, unfinished, refusal, actualCost })
  }
}

/** What was sent, or what would have been if the caller had waited for it. */
function statusOf({ headersSent, statusCode }: ServerResponse, failedStatus = statusCode): number {
  return headersSent ? statusCode : failedStatus
}

/** A handler that outlived its connection ends the response all the same; no event tells of it. */
function onVainEnd(response: ServerResponse, ended: () => void): void {
  const end = response.end.bind(response) as (...parameters: unknown[]) => ServerResponse
  response.end = ((...parameters: unknown[]) => {
    ended()
    return end(...parameters)
  }) as ServerResponse['end']
}
