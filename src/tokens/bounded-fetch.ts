/** What a request to an issuer may cost us. */
export interface FetchLimits {
  readonly timeoutMs: number
  readonly maxResponseBytes: number
}

/** Asking went wrong in a way that has a word. Its message is ours and holds nothing of the answer. */
class FetchTrouble extends Error {
  override readonly name = 'FetchTrouble'
  constructor(
    readonly code: 'TIMEOUT' | 'RESPONSE_TOO_LARGE' | 'REDIRECTED' | 'UNREACHABLE',
    cause?: unknown,
  ) {
    super(code, cause === undefined ? undefined : { cause })
  }
}

type FetchInit = Parameters<typeof fetch>[1]

/**
 * `fetch` that ends: the time covers the last byte of the body too, the bytes are counted after decompression,
 * and a redirect is not followed, since it would carry a secret or a decision to an address nobody configured.
 */
export async function boundedFetch(url: string, init: FetchInit, limits: FetchLimits): Promise<Response> {
  const signal = AbortSignal.timeout(limits.timeoutMs)
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal })
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel()
      throw new FetchTrouble('REDIRECTED')
    }
    const bytes = await readBytes(response, limits.maxResponseBytes)
    return new Response(bytes.length === 0 ? null : bytes, { status: response.status, headers: response.headers })
  } catch (error) {
    if (error instanceof FetchTrouble) throw error
    throw new FetchTrouble(signal.aborted ? 'TIMEOUT' : 'UNREACHABLE', error)
  }
}

async function readBytes(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += (chunk as Uint8Array).length
    // Leaving the loop cancels the stream and with it the connection.
    if (length > maxBytes) throw new FetchTrouble('RESPONSE_TOO_LARGE')
    chunks.push(chunk as Uint8Array)
  }
  return Buffer.concat(chunks, length)
}
