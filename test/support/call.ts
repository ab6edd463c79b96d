import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

export interface Call {
  readonly method?: string
  readonly path?: string
  /** Sent as they stand, in this order, repeated names included. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: string | Uint8Array
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Each occurrence of a field, in order. */
  readonly fields: (name: string) => readonly string[]
  readonly text: string
  readonly json: unknown
}

/** One request over a real socket, with the fields exactly as given (fetch would join and refuse some). */
export function call(url: string, { method = 'GET', path = '/', headers = [], body }: Call = {}): Promise<Answer> {
  const { hostname, port } = new URL(url)
  const flat = ['Host', `${hostname}:${port}`, 'Connection', 'close', ...headers.flat()]
  if (body !== undefined) flat.push('Content-Length', String(Buffer.byteLength(body)))
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ hostname, port, method, path, headers: flat, agent: false }, (response) => {
      answerOf(response).then(resolve, reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** The whole of an answer that has begun. */
export async function answerOf(response: IncomingMessage): Promise<Answer> {
  const { statusCode = 0, headers, rawHeaders } = response
  const body = await text(response)
  return {
    status: statusCode,
    headers,
    fields: (name) => occurrences(rawHeaders, name),
    text: body,
    json: parsed(body),
  }
}

function occurrences(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase())
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
