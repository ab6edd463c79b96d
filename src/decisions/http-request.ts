/** Fields of an answer. A name that stands with several values is sent once per value. */
export type HeaderFields = Readonly<Record<string, string | readonly string[]>>

/** Who is at the other end of the socket. Never taken from a header. */
export interface Peer {
  readonly address: string | undefined
  readonly encrypted: boolean
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
  /** Aborts when the connection goes away before the answer is complete. */
  readonly signal: AbortSignal
  readonly peer: Peer
  /** The `IncomingMessage` itself. */
  readonly raw: unknown
}
