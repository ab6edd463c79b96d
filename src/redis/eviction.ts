import type { RedisCommands } from './connection.js'
import { runScript, script } from './script.js'

/** KEYS: any of ours, which leads to the right node of a cluster. The policy by which the server throws keys away. */
const policyScript = script(`
local policy = string.match(redis.call('INFO', 'memory'), 'maxmemory_policy:([%w-]+)')
return policy or 'unknown'
`)

/** Looks once whether the server may throw keys away, and again only if that failed. */
export class EvictionCheck {
  readonly #connection: RedisCommands
  readonly #key: string
  readonly #refuse: () => Error
  #checking: Promise<void> | undefined

  /** `key`: any of those that are going to be used. */
  constructor(connection: RedisCommands, key: string, refuse: () => Error) {
    this.#connection = connection
    this.#key = key
    this.#refuse = refuse
  }

  ready(): Promise<void> {
    this.#checking ??= this.#check().catch((error: unknown) => {
      this.#checking = undefined
      throw error
    })
    return this.#checking
  }

  async #check(): Promise<void> {
    const policy = await runScript(this.#connection, policyScript, [this.#key])
    if (policy !== 'noeviction') throw this.#refuse()
  }
}
