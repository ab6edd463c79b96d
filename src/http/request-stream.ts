import type { IncomingMessage, ServerResponse } from 'node:http'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { onClose } from './on-close.js'

/** Two things of a stream that have no public name; `raw-body` looks at the same object. */
interface StreamState {
  readonly ended: boolean
  dataEmitted: boolean
}

function stateOf(raw: IncomingMessage): StreamState {
  return (raw as unknown as { _readableState: StreamState })._readableState
}

/** Whether somebody else has read the body, or a part of it, or is about to. */
export function isTaken(raw: IncomingMessage): boolean {
  if (raw.readableDidRead || raw.readableEnded || raw.readableFlowing === true) return true
  return raw.readableEncoding !== null || raw.listenerCount('data') > 0 || raw.listenerCount('readable') > 0
}

/**
 * Waits until all of the body is in the buffer of its stream, and leaves it there. Taking it out and putting it back
 * would do for most, but an empty body would then end before its handler listens, and a stream that was read from is
 * refused by `fetch` and others. So what is pushed into the stream is watched, and nothing is consumed.
 */
export function wholeBody(
  raw: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
): MaybePromise<Buffer | 'too_large' | 'unreadable'> {
  const arrived = peek(raw)
  if (arrived.length > maxBytes) return 'too_large'
  return stateOf(raw).ended ? arrived : rest(raw, response, arrived, maxBytes)
}

/** What is in the buffer already. Reads exactly as much as is there: one byte more, and an ended stream says so. */
function peek(raw: IncomingMessage): Buffer {
  const bytes = (raw.readableLength > 0 ? raw.read(raw.readableLength) : null) as Buffer | null
  if (bytes === null) return Buffer.alloc(0)
  putBack(raw, bytes)
  return bytes
}

function putBack(raw: IncomingMessage, bytes: Uint8Array): void {
  raw.unshift(bytes)
  stateOf(raw).dataEmitted = false
}

/** Puts other bytes in the place of a body that has arrived and that nobody has read yet. */
export function replaceBody(raw: IncomingMessage, bytes: Uint8Array): void {
  if (raw.readableLength > 0) raw.read(raw.readableLength)
  putBack(raw, bytes)
}

/** Takes away a body that nobody has read yet, and what of it is still to come. */
export function dropBody(raw: IncomingMessage): void {
  replaceBody(raw, nothing)
  if (stateOf(raw).ended) return
  const push = raw.push.bind(raw)
  raw.push = (chunk) => push(chunk === null ? null : nothing)
}

const nothing = Buffer.alloc(0)

function rest(
  raw: IncomingMessage,
  response: ServerResponse,
  arrived: Buffer,
  maxBytes: number,
): Promise<Buffer | 'too_large' | 'unreadable'> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [arrived]
    let size = arrived.length
    const stop = watchPushes(raw, (chunk) => {
      if (chunk === null) return end(Buffer.concat(chunks))
      chunks.push(chunk)
      size += chunk.length
      return size > maxBytes ? end('too_large') : true
    })
    const end = (result: Buffer | 'too_large' | 'unreadable'): false => {
      stop()
      resolve(result)
      return false
    }
    // Its caller has hung up, or somebody has answered meanwhile.
    onClose(response, () => end('unreadable'))
    // Over HTTP/2, and where a test makes the request, the stream begins when it is first asked.
    if (!stateOf(raw).ended) raw.read(0)
  })
}

/**
 * Shows what goes into a stream, `null` at its end, until it is stopped. As long as `see` wants more, the source is
 * told to go on, however full the buffer is.
 */
function watchPushes(raw: IncomingMessage, see: (chunk: Uint8Array | null) => boolean): () => void {
  const former = Object.getOwnPropertyDescriptor(raw, 'push')
  const push = raw.push.bind(raw)
  let watching = true
  const watched = (chunk: string | Uint8Array | null, encoding?: BufferEncoding): boolean => {
    const hasRoom = push(chunk, encoding)
    if (!watching) return hasRoom
    return see(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk) || hasRoom
  }
  raw.push = watched
  return () => {
    watching = false
    if (raw.push !== watched) return
    if (former === undefined) Reflect.deleteProperty(raw, 'push')
    else Object.defineProperty(raw, 'push', former)
  }
}
