import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Body, HttpRequest, Peer } from '../decisions/http-request.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { CapturedBody } from './captured-body.js'
import { onClose } from './on-close.js'

/**
 * A request as it arrived. Keeps its own hold on the raw fields and the target, so that it stays true after
 * they were stripped from what the handler sees.
 */
export class CapturedRequest implements HttpRequest {
  readonly raw: IncomingMessage
  readonly method: string
  readonly url: string
  readonly #response: ServerResponse
  readonly #rawHeaders: readonly string[]
  readonly #holder: object
  #body: CapturedBody | undefined
  #query: URLSearchParams | undefined
  #signal: AbortSignal | undefined

  /** `holder`: what parsers leave a body on. */
  constructor(raw: IncomingMessage, response: ServerResponse, url: string, holder: object = raw) {
    this.raw = raw
    this.method = raw.method ?? 'GET'
    this.url = url
    this.#response = response
    this.#holder = holder
    // A copy: what is stripped later is taken out of Node's own list, in place.
    this.#rawHeaders = raw.rawHeaders.slice()
  }

  get query(): URLSearchParams {
    return (this.#query ??= parametersOf(queryOf(this.url)))
  }

  /** Reads nothing until somebody asks it to. */
  get capturedBody(): CapturedBody {
    return (this.#body ??= new CapturedBody(this, this.raw, this.#response, this.#holder))
  }

  get peer(): Peer {
    const { socket } = this.raw
    return { address: socket.remoteAddress, encrypted: 'encrypted' in socket && socket.encrypted === true }
  }

  get signal(): AbortSignal {
    return (this.#signal ??= abortedWith(this.#response))
  }

  body(maxBytes: number): MaybePromise<Body> {
    return this.capturedBody.read(maxBytes)
  }

  headerValues(name: string): readonly string[] {
    const raw = this.#rawHeaders
    let values: string[] | undefined
    for (let index = 0; index < raw.length; index += 2) {
      const candidate = raw[index]
      // The length first: it spares nearly every field the lower-casing.
      if (candidate?.length !== name.length || candidate.toLowerCase() !== name) continue
      const value = raw[index + 1] ?? ''
      if (values === undefined) values = [value]
      else values.push(value)
    }
    return values ?? none
  }
}

const none: readonly string[] = Object.freeze([])

/** The query of a request target as it stands there, without the `?`. */
export function queryOf(url: string): string {
  const start = url.indexOf('?')
  return start === -1 ? '' : url.slice(start + 1)
}

/** The `&` keeps `URLSearchParams` from eating a `?` that belongs to the first name. */
export function parametersOf(query: string): URLSearchParams {
  return new URLSearchParams(`&${query}`)
}

function abortedWith(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  onClose(response, () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}
