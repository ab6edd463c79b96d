import { randomUUID } from 'node:crypto'
import { recordKey } from '../../contracts/keys.js'
import type { Identity, IdentityLink } from '../../contracts/model.js'
import { tooLate } from '../../contracts/reader.js'
import type { RecordKind, Records } from '../../contracts/store.js'
import { ClienteleFault } from '../../decisions/faults.js'
import type { RedisConnection } from '../../redis/connection.js'
import { EvictionCheck } from '../../redis/eviction.js'
import { listOf, textOf } from '../../redis/replies.js'
import { runScript } from '../../redis/script.js'
import { monotonicClock } from '../../runtime/clock.js'
import type { Subscribed } from '../../runtime/subscribed.js'
import { conflict, type AnyRecord, type CheckedChange } from '../check-changes.js'
import { fits, type CheckedQuery } from '../check-query.js'
import type { ServerBackend, TextPage } from '../server/server-store.js'
import { commitCall } from './commit-call.js'
import { Epoch } from './epoch.js'
import type { RedisKeys } from './keys.js'
import { commitScript, readScript } from './scripts.js'

export class RedisBackend implements ServerBackend {
  readonly timeoutMs: number
  readonly #connection: RedisConnection
  readonly #keys: RedisKeys
  readonly #epoch = new Epoch()
  readonly #eviction: EvictionCheck

  constructor(connection: RedisConnection, keys: RedisKeys, timeoutMs: number) {
    this.timeoutMs = timeoutMs
    this.#eviction = new EvictionCheck(connection, keys.epoch, evicts)
    this.#connection = connection
    this.#keys = keys
  }

  ready(): Promise<void> {
    return this.#eviction.ready()
  }

  async record<K extends RecordKind>(kind: K, key: Records[K]['key']): Promise<string | undefined> {
    await this.ready()
    const [text] = await this.#get([recordKey(kind, key)])
    return text
  }

  /** In two steps, between which nothing can go wrong: an identity that was given away is held by no other client. */
  async client(identity: Identity): Promise<string | undefined> {
    const link = await this.record('identity', identity)
    const client = link === undefined ? null : (JSON.parse(link) as IdentityLink).client
    return client === null ? undefined : this.record('client', { id: client })
  }

  async page(query: CheckedQuery): Promise<TextPage> {
    await this.ready()
    const texts: string[] = []
    let { cursor } = query
    for (;;) {
      const keys = await this.#listed(query, cursor)
      const found = await this.#get(keys)
      for (const [at, key] of keys.entries()) {
        if (texts.length === query.pageSize) return { texts, cursor }
        const text = found[at]
        if (text !== undefined && fits(JSON.parse(text) as AnyRecord, query.filters)) texts.push(text)
        cursor = key
      }
      if (keys.length <= query.pageSize) return { texts, cursor: undefined }
    }
  }

  async commit(changes: readonly CheckedChange[]): Promise<void> {
    const startedAt = monotonicClock()
    await this.ready()
    const mark = this.#keys.mark(randomUUID())
    let until: number | undefined
    for (;;) {
      const { time, texts, epoch } = await this.#readAt(changes)
      // By the server's clock: what clients send again after a lost connection must not happen after it was given up.
      until ??= Math.floor(time + this.timeoutMs - (monotonicClock() - startedAt))
      const { keys, parameters } = commitCall(this.#keys, mark, changes, texts)
      const settings = [String(until), String(10 * this.timeoutMs), epoch ?? '', randomUUID()]
      const outcome = await runScript(this.#connection, commitScript, keys, [...settings, ...parameters])
      if (outcome === 'done') return
      if (outcome === 'late') throw tooLate(this.timeoutMs)
    }
  }

  subscribe(message: (text: string) => void, lost: () => void): Subscribed {
    return this.#connection.subscribe(this.#keys.channel, message, lost)
  }

  close(): void {
    this.#connection.close()
  }

  async #get(storeKeys: readonly string[]): Promise<readonly (string | undefined)[]> {
    const names = storeKeys.map((key) => this.#keys.record(key))
    const reply = await this.#connection.command('MGET', this.#keys.epoch, ...names)
    const [epoch, ...texts] = listOf(reply).map(textOf)
    this.#epoch.check(epoch)
    return texts
  }

  /** What stands where changes are to be made, unless it is not what they expect. */
  async #readAt(
    changes: readonly CheckedChange[],
  ): Promise<{ time: number; texts: readonly (string | undefined)[]; epoch: string | undefined }> {
    const names = changes.map(({ storeKey }) => this.#keys.record(storeKey))
    const reply = await runScript(this.#connection, readScript, [this.#keys.epoch, ...names])
    const [time, epoch, ...texts] = listOf(reply).map(textOf)
    this.#epoch.check(epoch)
    changes.forEach(({ expect, target }, at) => {
      const text = texts[at]
      const version = text === undefined ? null : (JSON.parse(text) as AnyRecord).version
      if (version !== expect) throw conflict(target.kind)
    })
    return { time: Number(time), texts, epoch }
  }

  async #listed({ kind, filters, pageSize }: CheckedQuery, cursor: string | undefined): Promise<readonly string[]> {
    const [narrowest] = filters
    const index = narrowest === undefined ? this.#keys.index(kind) : this.#keys.index(kind, ...narrowest)
    const from = cursor === undefined ? '-' : `(${cursor}`
    const limit = ['LIMIT', '0', String(pageSize + 1)]
    const keys = listOf(await this.#connection.command('ZRANGEBYLEX', index, from, '+', ...limit))
    return keys.map((key) => textOf(key) ?? '')
  }
}

function evicts(): ClienteleFault {
  const message = 'redisStore(): the server may throw contracts away; set its maxmemory-policy to noeviction'
  return new ClienteleFault('ERR_CLIENTELE_STORE', message)
}
