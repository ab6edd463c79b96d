import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface KeyServerRequest {
  readonly method: string | undefined
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Behaviour = (request: KeyServerRequest, response: ServerResponse) => void

/** A server that answers as it is told, for everything that an issuer can do wrong. */
export interface KeyServer {
  readonly url: string
  readonly received: readonly KeyServerRequest[]
  /** How often a path was asked for. */
  count(path: string): number
  /** What it does from now on, for one path. */
  on(path: string, behaviour: Behaviour): void
  close(): Promise<void>
}

export async function startKeyServer(): Promise<KeyServer> {
  const behaviours = new Map<string, Behaviour>()
  const received: KeyServerRequest[] = []
  const server = createServer((incoming, response) => {
    const path = new URL(incoming.url ?? '/', 'http://server').pathname
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const request = { method: incoming.method, path, headers: incoming.headers, body }
      received.push(request)
      ;(behaviours.get(path) ?? status(404))(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    count: (path) => received.filter((request) => request.path === path).length,
    on: (path, behaviour) => void behaviours.set(path, behaviour),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export function json(content: unknown, code = 200): Behaviour {
  return (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(content))
  }
}

export function status(code: number, headers: Record<string, string> = {}): Behaviour {
  return (_request, response) => {
    response.writeHead(code, headers).end()
  }
}

/** Everything that is an outage and must be a fault, whoever asks for whatever. */
export const outages: Readonly<Record<string, Behaviour>> = {
  '500': status(500),
  '503': status(503, { 'retry-after': '7' }),
  '404': status(404),
  'a hang': () => undefined,
  'a drip': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => {
      clearInterval(timer)
    })
  },
  'a closed connection': (_request, response) => {
    response.destroy()
  },
  html: (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>It works!</html>')
  },
  'an endless body': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const block = Buffer.alloc(64 * 1024, ' ')
    const pump = (): void => {
      while (!response.destroyed && response.write(block));
    }
    response.on('drain', pump)
    pump()
  },
  'a redirect': status(302, { location: 'http://127.0.0.1:1/' }),
  'an array': json([]),
  null: json(null),
}
