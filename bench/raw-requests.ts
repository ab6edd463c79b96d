import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, IncomingMessage, ServerResponse, type RequestListener } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import express from 'express'

export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => unknown

/** A request as it came in over a socket, to make others of. */
export interface RequestTemplate {
  readonly socket: Socket
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  /** What stands in the stream of each request made of it. */
  readonly body?: Buffer
}

/** A server and the requests that came in at it. Closes with everything that hangs on it. */
export async function captureServer(): Promise<{
  capture: (lines: readonly string[]) => Promise<RequestTemplate>
  close: () => void
}> {
  const sockets: Socket[] = []
  const { port, close, onRequest } = await localServer()
  return {
    async capture(lines) {
      const arrived = new Promise<IncomingMessage>((resolve) => {
        onRequest(resolve)
      })
      const client = connect(port, '127.0.0.1')
      sockets.push(client)
      await once(client, 'connect')
      client.write(['GET /orders HTTP/1.1', ...usualLines(port), ...lines, '', ''].join('\r\n'))
      const { socket, method = '', url = '', rawHeaders } = await arrived
      return { socket, method, url, rawHeaders }
    },
    close() {
      for (const socket of sockets) socket.destroy()
      close()
    },
  }
}

export async function localServer(): Promise<{
  port: number
  close: () => void
  onRequest: (listener: RequestListener) => void
}> {
  let answer: RequestListener = () => undefined
  const server = createServer((request, response) => {
    answer(request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
    onRequest: (listener) => {
      answer = listener
    },
  }
}

/** What a Node client sends besides. */
function usualLines(port: number): string[] {
  return [
    `Host: 127.0.0.1:${port}`,
    'Accept: application/json',
    'Accept-Language: en',
    'Accept-Encoding: gzip, deflate, br',
    'User-Agent: node',
    'Connection: keep-alive',
  ]
}

/** Node's parser hands the fields over by it; `headers` are made of them when somebody looks. */
interface FieldsTaker {
  _addHeaderLines(rawHeaders: string[], count: number): void
}

export interface RawExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const app = express()

/** A new request and response that no middleware has seen, as an Express app hands them to the first one. */
export function rawExchange({ socket, method, url, rawHeaders, body }: RequestTemplate): RawExchange {
  const request = new IncomingMessage(socket) as IncomingMessage & FieldsTaker & { res?: unknown; originalUrl?: string }
  request.method = method
  request.url = url
  request.httpVersion = '1.1'
  request.httpVersionMajor = 1
  request.httpVersionMinor = 1
  request._addHeaderLines([...rawHeaders], rawHeaders.length)
  // Node's server has looked at them (for Host and Expect) before anybody else does.
  assert(request.headers.host !== undefined)
  const response = new ServerResponse(request) as ServerResponse & { locals?: unknown }
  response.setHeader('X-Powered-By', 'Express')
  request.res = response
  Object.assign(response, { req: request })
  Object.setPrototypeOf(request, app.request as object)
  Object.setPrototypeOf(response, app.response as object)
  response.locals = Object.create(null)
  request.originalUrl = url
  if (body !== undefined) {
    request.push(body)
    request.complete = true
    request.push(null)
  }
  return { request, response }
}

/** What the middleware under way has said: one object for all requests, so that the bench itself makes no garbage. */
class Passage {
  passed = false
  failure: unknown
  #wake: (() => void) | undefined

  readonly next = (error?: unknown): void => {
    this.passed = true
    this.failure = error
    this.#wake?.()
  }

  later(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  begin(): void {
    this.passed = false
    this.#wake = undefined
  }
}

/** Runs exchanges one after the other. Whoever answers at once is not made to wait for a promise. */
export async function throughMiddleware(middleware: Middleware, exchanges: readonly RawExchange[]): Promise<void> {
  const passage = new Passage()
  const { next } = passage
  for (const { request, response } of exchanges) {
    passage.begin()
    void middleware(request, response, next)
    if (!passage.passed) await passage.later()
    if (passage.failure !== undefined) throw new Error('a request did not pass', { cause: passage.failure })
  }
}

/** One after the other, as a router would. */
export function chain(first: Middleware, second: Middleware): Middleware {
  return (request, response, next) =>
    first(request, response, (error) => {
      if (error === undefined) second(request, response, next)
      else next(error)
    })
}
