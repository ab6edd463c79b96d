/** What a request to somebody else's server may cost us. */
export interface FetchLimits {
  readonly timeoutMs: number
  readonly maxResponseBytes: number
}

/** Asking went wrong in a way that has a word. Its message is ours and holds nothing of the answer. */
export class FetchTrouble extends Error {
  override readonly name = 'FetchTrouble'
  readonly code: string
  constructor(
    readonly reason: 'timeout' | 'too_large' | 'redirected' | 'unreachable',
    cause?: unknown,
  ) {
    super(reason, cause === undefined ? undefined : { cause })
    this.code = reason.toUpperCase()
  }
}

export interface FetchInit {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Nobody waits any more. */
  readonly signal?: AbortSignal
}

/**
 * `fetch` that ends: the time covers the last byte of the body too, the bytes are counted after decompression,
 * and a redirect is not followed, since it would carry a secret or a decision to an address nobody configured.
 */
export type BoundedFetch = (url: string, init: FetchInit, limits: FetchLimits) => Promise<Response>

export const boundedFetch: BoundedFetch = async (url, init, limits) => {
  const signal = AbortSignal.timeout(limits.timeoutMs)
  const ends = init.signal === undefined ? signal : AbortSignal.any([signal, init.signal])
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: ends })
    const { status, headers } = response
    if (isRedirect(status)) {
      await response.body?.cancel()
      throw new FetchTrouble('redirected')
    }
    return answerOf(status, headers, await readBytes(response.body ?? [], limits.maxResponseBytes))
  } catch (error) {
    throw troubleOf(error, signal)
  }
}

export function isRedirect(status: number): boolean {
  return status >= 300 && status < 400
}

export function answerOf(status: number, headers: Headers, bytes: Buffer): Response {
  return new Response(bytes.length === 0 ? null : bytes, { status, headers })
}

export function troubleOf(error: unknown, signal: AbortSignal): FetchTrouble {
  if (error instanceof FetchTrouble) return error
  return new FetchTrouble(signal.aborted ? 'timeout' : 'unreachable', error)
}

export async function readBytes(body: AsyncIterable<unknown> | Iterable<unknown>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += (chunk as Uint8Array).length
    // Leaving the loop cancels the stream and with it the connection.
    if (length > maxBytes) throw new FetchTrouble('too_large')
    chunks.push(chunk as Uint8Array)
  }
  return Buffer.concat(chunks, length)
}
