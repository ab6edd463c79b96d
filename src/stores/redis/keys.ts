import { z } from 'zod'
import { escapePart } from '../../contracts/keys.js'
import type { RecordKind } from '../../contracts/store.js'
import type { AnyRecord } from '../check-changes.js'
import { fieldOf, listFields, type Field } from '../check-query.js'

/** What stands in front of every name, for options. */
export const keyPrefix = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,100}$/, 'expected 1 to 100 of A-Z a-z 0-9 . _ : -')
  .default('clientele')

/** Names on the server. What stands in braces decides on the node of a cluster: all of one store are on one. */
export class RedisKeys {
  readonly channel: string
  /** Written once, with the first commit: a server without it has lost what it had, or never had anything. */
  readonly epoch: string
  readonly #tag: string

  constructor(prefix: string) {
    this.#tag = `{${prefix}}`
    this.channel = `${this.#tag}:changes`
    this.epoch = `${this.#tag}:epoch`
  }

  record(storeKey: string): string {
    return `${this.#tag}:record:${storeKey}`
  }

  /** Says that a commit was carried out. */
  mark(commit: string): string {
    return `${this.#tag}:commit:${commit}`
  }

  /** A sorted set of store keys: all of a kind, or those with a value in a field. */
  index(kind: RecordKind, field?: Field, value = ''): string {
    return `${this.#tag}:index:${kind}${field === undefined ? '' : `/${field}/${escapePart(value)}`}`
  }

  indexesOf(kind: RecordKind, record: AnyRecord | null | undefined): readonly string[] {
    if (record === null || record === undefined) return []
    const byField = listFields[kind].flatMap((field) => {
      const value = fieldOf(record, field)
      return value === undefined ? [] : [this.index(kind, field, value)]
    })
    return [this.index(kind), ...byField]
  }
}
