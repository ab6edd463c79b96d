import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import { DemoError, host } from './settings.js'

export interface DemoServer {
  /** From here on requests are served; until then they are asked to come back. */
  serve(listener: RequestListener): void
  close(): Promise<void>
}

const notReady: RequestListener = (_request, response) => {
  response.writeHead(503, { 'Retry-After': '1' }).end()
}

/** Takes a port before anything is written, so that a port in use leaves everything as it was. */
export async function openServer(port: number): Promise<DemoServer> {
  let current = notReady
  const server = createServer((request, response) => {
    current(request, response)
  })
  server.listen(port, host)
  await once(server, 'listening').catch((error: unknown) => {
    throw new DemoError(explain(error, port))
  })
  return {
    serve(listener) {
      current = listener
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      setTimeout(() => {
        server.closeAllConnections()
      }, graceMs).unref()
      await closed
    },
  }
}

/** What a request that is under way may still take. */
const graceMs = 1000

function explain(error: unknown, port: number): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  const remedy = 'The demo uses PORT (3000 unless set) and the next one: PORT=4000 npm start'
  return code === 'EADDRINUSE'
    ? `Port ${port} is taken. ${remedy}`
    : `Port ${port} cannot be opened (${code}). ${remedy}`
}
