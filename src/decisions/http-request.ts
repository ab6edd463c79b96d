import type { MaybePromise } from './maybe-promise.js'

/** Fields of an answer. A name that stands with several values is sent once per value. */
export type HeaderFields = Readonly<Record<string, string | readonly string[]>>

/** Who is at the other end of the socket. Never taken from a header. */
export interface Peer {
  readonly address: string | undefined
  readonly encrypted: boolean
}

/** The way to a value in a body: the names of members, the outermost first. */
export type BodyPath = readonly string[]

/**
 * The JSON or the form that a request carries. `absent`: it has no body, or one of another type, which nobody has
 * touched. `unreadable`: it is called JSON or a form, and is nothing that every reader would read alike.
 */
export type Body = { readonly kind: 'absent' | 'too_large' | 'unreadable' } | BodyContent

export interface BodyContent {
  readonly kind: 'content'
  /** In bytes, as it came or unpacked, whichever is more. */
  readonly size: number
  /** A digest or a signature covers it: whoever takes something out of it breaks that. */
  readonly sealed: boolean
  /**
   * The text at a path, or none. `undefined` where it is not one text: another value, two of a name, or something
   * on the way that has no members. Nothing inherited is ever found.
   */
  textAt(path: BodyPath): readonly string[] | undefined
}

/**
 * A request as every policy sees it: what arrived, captured once per raw request, before anything was
 * stripped from what the handler sees.
 */
export interface HttpRequest {
  readonly method: string
  /** The target as it stood on the request line, never shortened by a router's mount path. */
  readonly url: string
  /**
   * Each occurrence of a field in the order of arrival, none joined and none dropped: Node joins repeated
   * custom fields to `a, b` and keeps only the first `Authorization`. `name` is in lower case.
   */
  headerValues(name: string): readonly string[]
  readonly query: URLSearchParams
  /**
   * Waits for the whole body, up to `maxBytes` as it comes and unpacked, and leaves it where it is for whoever reads
   * it next. Read once, however often it is asked for. Where a parser was there before, what that has kept is looked at.
   */
  body(maxBytes: number): MaybePromise<Body>
  /** Aborts when the connection goes away before the answer is complete. */
  readonly signal: AbortSignal
  readonly peer: Peer
  /** The `IncomingMessage` itself. */
  readonly raw: unknown
  /**
   * There where somebody only wants to know what would be decided: nothing is charged, remembered or written, and
   * nobody waits for his turn.
   */
  readonly spendsNothing?: true
}

/** Whether a policy only looks. Those that need nothing of a request may be asked without one. */
export function isLook(request: Pick<HttpRequest, 'spendsNothing'> | undefined): boolean {
  return request?.spendsNothing === true
}
