interface FaultEntry {
  /** `undefined`: never happens while a request is served. */
  readonly status: 500 | 503 | undefined
  readonly title: string
}

/** Every fault there is. docs/reference/faults.md is compared with this table by a test. */
export const faults = {
  ERR_CLIENTELE_OPTIONS: { status: undefined, title: 'An option is wrong.' },
  ERR_CLIENTELE_INVALID: { status: undefined, title: 'A record or an argument is not valid.' },
  ERR_CLIENTELE_NOT_FOUND: { status: undefined, title: 'The named record does not exist.' },
  ERR_CLIENTELE_STATE: { status: undefined, title: 'The state does not allow this move.' },
  ERR_CLIENTELE_CONFLICT: { status: undefined, title: 'The record has changed since it was read.' },
  ERR_CLIENTELE_PROVIDER: { status: undefined, title: 'The client provider refuses, and has changed nothing.' },
  ERR_CLIENTELE_NOT_PROTECTED: { status: 500, title: 'No policy has established what is asked for.' },
  ERR_CLIENTELE_COST: { status: 500, title: 'What a request costs cannot be told.' },
  ERR_CLIENTELE_NOT_READY: { status: 503, title: 'The contracts are not available yet.' },
  ERR_CLIENTELE_STALE: { status: 503, title: 'The contracts known here are too old to decide on.' },
  ERR_CLIENTELE_BUSY: { status: 503, title: 'Too many slow checks are waiting.' },
  ERR_CLIENTELE_STORE: { status: 503, title: 'The contract store does not answer.' },
  ERR_CLIENTELE_COUNTER: { status: 503, title: 'The counter does not answer.' },
  ERR_CLIENTELE_REVOCATION: { status: 503, title: 'Whether the token is revoked cannot be told.' },
  ERR_CLIENTELE_REPLAY: { status: 503, title: 'Whether the proof was used before cannot be told.' },
  ERR_CLIENTELE_ISSUER: { status: 503, title: 'The issuer of the token does not answer.' },
} as const satisfies Record<string, FaultEntry>

export type FaultCode = keyof typeof faults

export interface FaultDetails {
  readonly retryAfterSeconds?: number | undefined
  /** One word for what went wrong, where a code stands for several things: for events and alarms. */
  readonly reason?: string | undefined
  /** Kept by name and code alone: messages and stacks of others may hold tokens, URLs and secrets. */
  readonly cause?: unknown
}

const defaultRetryAfterSeconds = 5

/**
 * Our own trouble, thrown: an outage (status 503), a programming error (500), or a call that cannot be done.
 * `status`, `statusCode`, `expose` and `headers` are what Express and Koa look for.
 */
export class ClienteleFault extends Error {
  override readonly name = 'ClienteleFault'
  readonly code: FaultCode
  readonly status: number
  readonly statusCode: number
  readonly expose = false
  readonly retryAfterSeconds: number | undefined
  readonly reason: string | undefined
  readonly headers: Readonly<Record<string, string>> | undefined

  constructor(code: FaultCode, message: string, details: FaultDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: traceOf(details.cause) })
    const { status } = faults[code]
    this.code = code
    this.status = status ?? 500
    this.statusCode = this.status
    this.retryAfterSeconds = status === 503 ? (details.retryAfterSeconds ?? defaultRetryAfterSeconds) : undefined
    this.reason = details.reason
    this.headers =
      this.retryAfterSeconds === undefined ? undefined : { 'retry-after': String(Math.ceil(this.retryAfterSeconds)) }
  }
}

/** A fault that callers are told of with a 503: something of ours is out of reach, and may come back. */
export function isOutage(error: unknown): error is ClienteleFault {
  return error instanceof ClienteleFault && error.status === 503
}

const safeWord = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

/** What may be kept of a foreign error: its kind and its code, if they are plain words. */
function traceOf(cause: unknown): { name: string; code?: string } | ClienteleFault {
  if (cause instanceof ClienteleFault) return cause
  if (typeof cause !== 'object' || cause === null) return { name: typeof cause }
  const { name, code } = cause as { name?: unknown; code?: unknown }
  const trace: { name: string; code?: string } = {
    name: typeof name === 'string' && safeWord.test(name) ? name : 'Error',
  }
  if (typeof code === 'string' && safeWord.test(code)) trace.code = code
  return trace
}
