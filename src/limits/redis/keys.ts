import { subjectDigest } from '../subject.js'

/** What needs no digest: braces would decide on the node of a cluster, and `=` begins a digest. */
const plainSubject = /^[^={}][^{}]{0,499}$/

/**
 * How accounts are packed, in the name: one that is packed otherwise is never met, neither by processes before an update
 * nor by those behind it. To be raised with each change of `lua-account.ts`.
 */
const format = '2'

/** Names on the server. Everything of a subject lies on one node of a cluster, subjects on all of them. */
export class CounterKeys {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  account(subject: string): string {
    return `${this.#prefix}:counter${format}:{${this.#tag(subject)}}`
  }

  /** Says that something was given back. */
  mark(subject: string, returned: string): string {
    return `${this.account(subject)}:${returned}`
  }

  #tag(subject: string): string {
    if (plainSubject.test(subject)) return subject
    return subjectDigest(subject)
  }
}
