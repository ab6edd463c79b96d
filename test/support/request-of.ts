import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { CapturedRequest } from '../../src/http/capture.js'

/** A request as it is captured, for tests below the level of sockets. */
export function requestOf({
  url = '/',
  method = 'GET',
  headers = [],
  body,
}: {
  readonly url?: string
  readonly method?: string
  readonly headers?: readonly (readonly [name: string, value: string])[]
  /** Its length and type stand in the headers without further ado. */
  readonly body?: { readonly type: string; readonly text: string }
} = {}): CapturedRequest {
  const raw = new IncomingMessage(new Socket())
  raw.url = url
  raw.method = method
  raw.httpVersionMajor = 1
  raw.rawHeaders = headers.flat()
  if (body !== undefined) {
    raw.rawHeaders.push('Content-Type', body.type, 'Content-Length', String(Buffer.byteLength(body.text)))
    raw.push(body.text)
  }
  raw.push(null)
  return new CapturedRequest(raw, new ServerResponse(raw), url)
}
