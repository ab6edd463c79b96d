import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Receiver {
  readonly port: number
  readonly url: string
  readonly received: Received[]
  /** Which steps have come, in their order. */
  steps(): string[]
}

type Answer = (response: ServerResponse, count: number, request: IncomingMessage) => void

/** A server that somebody has his webhooks sent to, until the test is over. */
export async function startReceiver(
  answer: Answer = (response) => response.writeHead(204).end(),
  tls?: { readonly key: string; readonly cert: string },
): Promise<Receiver> {
  const received: Received[] = []
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void text(request).then((body) => {
      received.push({ headers: request.headers, body })
      answer(response, received.length, request)
    })
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const steps = (): string[] => received.map(({ body }) => (JSON.parse(body) as { type: string }).type)
  return { port, url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${String(port)}/hook`, received, steps }
}
