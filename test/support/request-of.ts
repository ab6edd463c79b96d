import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { CapturedRequest } from '../../src/http/capture.js'

/** A request as it is captured, for tests below the level of sockets. */
export function requestOf({
  url = '/',
  method = 'GET',
  headers = [],
}: {
  readonly url?: string
  readonly method?: string
  readonly headers?: readonly (readonly [name: string, value: string])[]
} = {}): CapturedRequest {
  const raw = new IncomingMessage(new Socket())
  raw.url = url
  raw.method = method
  raw.rawHeaders = headers.flat()
  return new CapturedRequest(raw, new ServerResponse(raw), url)
}
