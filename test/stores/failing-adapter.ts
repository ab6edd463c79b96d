import { EventEmitter } from 'node:events'

/** How an adapter takes an outage: `reports` is what @keyv/redis does, an event and an answer as if nothing were there. */
export const manners = ['throws', 'reports', 'is silent'] as const
export type Manner = (typeof manners)[number]

export type Operation = 'get' | 'set' | 'delete'

/** An adapter over a map whose operations can be made to fail. */
export class FailingAdapter extends EventEmitter {
  readonly opts = {}
  readonly rows: Map<string, unknown>
  readonly failing = new Set<Operation>()
  /** Fails for these keys alone. */
  onlyFor: ((key: string) => boolean) | undefined
  readonly #manner: Manner

  constructor(manner: Manner, rows = new Map<string, unknown>()) {
    super()
    this.#manner = manner
    this.rows = rows
  }

  fail(...operations: readonly Operation[]): void {
    for (const operation of operations) this.failing.add(operation)
  }

  recover(): void {
    this.failing.clear()
    this.onlyFor = undefined
  }

  async get(key: string): Promise<unknown> {
    return this.#fails('get', key) ? undefined : this.rows.get(key)
  }

  async set(key: string, value: unknown): Promise<unknown> {
    if (this.#fails('set', key)) return this.#manner === 'is silent' ? undefined : false
    this.rows.set(key, value)
    return true
  }

  async delete(key: string): Promise<boolean> {
    return this.#fails('delete', key) ? false : this.rows.delete(key)
  }

  async clear(): Promise<void> {
    this.rows.clear()
  }

  #fails(operation: Operation, key: string): boolean {
    if (!this.failing.has(operation) || this.onlyFor?.(key) === false) return false
    const error = new Error('the backend is down')
    if (this.#manner === 'throws') throw error
    if (this.#manner === 'reports') this.emit('error', error)
    return true
  }
}

/** The same with one call for many keys, which fails for all of them or for none. */
export class FailingAdapterForMany extends FailingAdapter {
  async getMany(keys: readonly string[]): Promise<unknown[]> {
    const answers = await Promise.all(keys.map((key) => this.get(key)))
    const fails = this.failing.has('get') && keys.some((key) => this.onlyFor?.(key) !== false)
    return fails ? keys.map(() => undefined) : answers
  }
}
