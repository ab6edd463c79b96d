import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Body, BodyPath, HttpRequest } from '../decisions/http-request.js'
import { andThen, type MaybePromise } from '../decisions/maybe-promise.js'
import { bodyFormats } from './body-formats.js'
import { codingsOf, unpack } from './content-coding.js'
import { bodyFormatOf, type BodyFormat } from './media-type.js'
import { copyAlong, parsedTextAt } from './parsed-body.js'
import { isTaken, wholeBody } from './request-stream.js'
import { textOf } from './utf8.js'

const absent: Body = Object.freeze({ kind: 'absent' })
const tooLarge: Body = Object.freeze({ kind: 'too_large' })
const unreadable: Body = Object.freeze({ kind: 'unreadable' })

/** What vouches for each byte of a body, in a field or a trailer (RFC 9530, 9421; RFC 3230 and 2616 before them). */
const sealing = ['content-digest', 'repr-digest', 'digest', 'content-md5', 'signature-input']

/** What parsers leave on an object that they share with the handler. */
export const keptNames = ['body', 'rawBody'] as const

/** The body of one request as it arrived, whatever is taken out of what the handler sees. */
export class CapturedBody {
  readonly format: BodyFormat | 'other' | 'unclear'
  /** Where parsers leave what they have read: on the raw request, and in Koa on a request of its own. */
  readonly holders: readonly object[]
  /** The text of what is in the stream for the handler to read; `undefined` where there is none, or none to be read. */
  shown: string | undefined = undefined
  /** What came of reading it; `undefined` until somebody has. */
  kind: Body['kind'] | undefined = undefined
  readonly #request: Pick<HttpRequest, 'headerValues'>
  readonly #raw: IncomingMessage
  readonly #response: ServerResponse
  #reading: MaybePromise<Body> | undefined
  #maxBytes = 0
  #parsed: unknown

  constructor(
    request: Pick<HttpRequest, 'headerValues'>,
    raw: IncomingMessage,
    response: ServerResponse,
    holder: object,
  ) {
    this.#request = request
    this.#raw = raw
    this.#response = response
    this.holders = holder === raw ? [raw] : [holder, raw]
    this.format = bodyFormatOf(request.headerValues('content-type'))
  }

  /** Reads once. Only a body that was too large for one reader is read again for another who takes more. */
  read(maxBytes: number): MaybePromise<Body> {
    const former = this.#reading
    if (former === undefined) return this.#begin(maxBytes)
    return andThen(former, (body) => {
      if (former !== this.#reading) return this.read(maxBytes)
      if (body.kind === 'too_large') return maxBytes > this.#maxBytes ? this.#begin(maxBytes) : body
      return body.kind === 'content' && body.size > maxBytes ? tooLarge : body
    })
  }

  /** For what is removed from a parsed body, which is an object of the application's: here it stays. */
  keep(path: BodyPath): void {
    this.#parsed = copyAlong(this.#parsed, path)
  }

  #begin(maxBytes: number): MaybePromise<Body> {
    this.#maxBytes = maxBytes
    const noted = (body: Body): Body => {
      this.kind = body.kind
      return body
    }
    return (this.#reading = andThen(this.#read(maxBytes), noted))
  }

  #read(maxBytes: number): MaybePromise<Body> {
    const { format } = this
    if (format === 'other' || !this.#hasBody()) return absent
    if (format === 'unclear') return unreadable
    if (isTaken(this.#raw)) return this.#readKept(format, maxBytes)
    if (Number(this.#request.headerValues('content-length')[0] ?? 0) > maxBytes) return this.#leave()
    return andThen(wholeBody(this.#raw, this.#response, maxBytes), (arrived) => {
      if (arrived === 'too_large') return this.#leave()
      return arrived === 'unreadable' ? unreadable : this.#unpack(format, arrived, maxBytes)
    })
  }

  /** RFC 9112 §6. HTTP/2 need not say beforehand. */
  #hasBody(): boolean {
    const [length] = this.#request.headerValues('content-length')
    if (length !== undefined) return Number(length) > 0
    return this.#raw.httpVersionMajor > 1 || this.#request.headerValues('transfer-encoding').length > 0
  }

  /** What is left of the body stands between this request and the next one on its connection. */
  #leave(): Body {
    const response: ServerResponse & { readonly stream?: ServerHttp2Stream } = this.#response
    response.shouldKeepAlive = false
    // Over HTTP/2 it keeps its own stream open, for as long as nobody takes it.
    response.stream?.once('finish', () => this.#raw.resume())
    return tooLarge
  }

  #unpack(format: BodyFormat, arrived: Buffer, maxBytes: number): MaybePromise<Body> {
    const codings = codingsOf(this.#request.headerValues('content-encoding'))
    return andThen(unpack(arrived, codings, maxBytes), (bytes) => {
      if (typeof bytes === 'string') return bytes === 'too_large' ? tooLarge : unreadable
      if (bytes.length === 0) return absent
      const text = textOf(bytes)
      const body = this.#ofText(format, text, Math.max(arrived.length, bytes.length))
      // Nothing can be cut out of what is broken.
      if (body.kind === 'content') this.shown = text
      return body
    })
  }

  #readKept(format: BodyFormat, maxBytes: number): Body {
    const kept = keptNames.flatMap((name) => this.holders.map((holder) => keptOn(holder, name)))
    const value = kept.find((each) => each !== undefined)
    if (value === undefined) return unreadable
    if (typeof value !== 'string' && !(value instanceof Uint8Array)) return this.#ofParsed(value)
    const size = typeof value === 'string' ? Buffer.byteLength(value) : value.length
    return size > maxBytes ? tooLarge : this.#ofText(format, textOf(value), size)
  }

  #ofText(format: BodyFormat, text: string | undefined, size: number): Body {
    const { isValid, textAt } = bodyFormats[format]
    if (text === undefined || !isValid(text)) return unreadable
    return { kind: 'content', size, sealed: this.#isSealed(), textAt: (path) => textAt(text, path) }
  }

  /** How large it was, its parser has seen to. */
  #ofParsed(value: unknown): Body {
    this.#parsed = value
    const textAt = (path: BodyPath): readonly string[] | undefined => parsedTextAt(this.#parsed, path)
    return { kind: 'content', size: 0, sealed: this.#isSealed(), textAt }
  }

  #isSealed(): boolean {
    const trailers = this.#raw.rawTrailers
    return sealing.some(
      (name) =>
        this.#request.headerValues(name).length > 0 ||
        trailers.some((each, index) => index % 2 === 0 && each.toLowerCase() === name),
    )
  }
}

/** Nothing inherited. */
export function keptOn(holder: object, name: (typeof keptNames)[number]): unknown {
  return Object.hasOwn(holder, name) ? Reflect.get(holder, name) : undefined
}
