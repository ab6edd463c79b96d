import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerOf, type Answer } from './call.js'

export interface BodyCall {
  readonly method?: string
  readonly path?: string
  readonly headers?: readonly (readonly [name: string, value: string])[]
  /** Sent one after the other. */
  readonly pieces: readonly (string | Uint8Array)[]
  /** Instead of a `Content-Length`. */
  readonly chunked?: boolean
  /** Before each piece. */
  readonly pauseMs?: number
  readonly trailers?: readonly (readonly [name: string, value: string])[]
}

export const json = ['Content-Type', 'application/json'] as const
export const form = ['Content-Type', 'application/x-www-form-urlencoded'] as const

/** One request with a body over a real socket, in as many pieces as it is given in. */
export function callWithBody(url: string, call: BodyCall): Promise<Answer> {
  const { method = 'POST', path = '/', headers = [], pieces, chunked = false, pauseMs = 0, trailers = [] } = call
  const { hostname, port } = new URL(url)
  const length = String(pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0))
  const framing = chunked ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', length]
  const flat = ['Host', `${hostname}:${port}`, 'Connection', 'close', ...headers.flat(), ...framing]
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ hostname, port, method, path, headers: flat, agent: false }, (response) => {
      answerOf(response).then(resolve, reject)
    })
    outgoing.on('error', reject)
    const send = async (): Promise<void> => {
      if (pauseMs > 0) outgoing.flushHeaders()
      for (const piece of pieces) {
        if (pauseMs > 0) await sleep(pauseMs)
        if (outgoing.destroyed) return
        // Fields before text would go out as UTF-8.
        outgoing.write(typeof piece === 'string' ? Buffer.from(piece) : piece)
      }
      if (trailers.length > 0) outgoing.addTrailers(Object.fromEntries(trailers))
      outgoing.end()
    }
    send().catch(reject)
  })
}

/** Whatever comes back for these very bytes, until the other side closes or `until` stands in it. */
export function exchangeBytes(url: string, bytes: string | Uint8Array, until?: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.setTimeout(5000, () => socket.destroy(new Error(`nothing came any more after: ${text}`)))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (until !== undefined && text.includes(until)) socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
    socket.write(bytes)
  })
}
