/**
 * What a caller may do to be let in: one challenge of a `WWW-Authenticate` field (RFC 9110 §11.6.1).
 * Parameters are raw text; `http/` escapes them and leaves out what the grammar cannot carry.
 */
export interface Challenge {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}
