import { recordKey } from '../../contracts/keys.js'
import type { Identity } from '../../contracts/model.js'
import type { RecordKind, Records } from '../../contracts/store.js'
import { ClienteleFault } from '../../decisions/faults.js'
import type { Subscribed } from '../../runtime/subscribed.js'
import { conflict, writtenKeys, type CheckedChange } from '../check-changes.js'
import { fieldOf, type CheckedQuery } from '../check-query.js'
import { hintText } from '../server/hint-text.js'
import type { ServerBackend, TextPage } from '../server/server-store.js'
import { ignore, inTransaction, type PostgresPool, type PostgresResult, type RunStatement } from './pool.js'

/** A notification takes less than 8000 bytes. */
const longestHintBytes = 7900
const undefinedTable = '42P01'

export class PostgresBackend implements ServerBackend {
  readonly timeoutMs: number
  readonly #pool: PostgresPool
  readonly #schema: string
  readonly #channel: string

  constructor(pool: PostgresPool, schema: string, timeoutMs: number) {
    this.timeoutMs = timeoutMs
    this.#pool = pool
    this.#schema = schema
    this.#channel = `${schema}_changes`
    // An idle connection that breaks is the pool's to replace, and no reason to end the process.
    pool.on('error', ignore)
  }

  async ready(): Promise<void> {
    await this.#query(`select from ${this.#schema}.records limit 1`)
  }

  async record<K extends RecordKind>(kind: K, key: Records[K]['key']): Promise<string | undefined> {
    const [row] = await this.#query(`select value from ${this.#schema}.records where key = $1`, [recordKey(kind, key)])
    return row && textOf(row)
  }

  /** In one statement, so that both records are of one moment. */
  async client(identity: Identity): Promise<string | undefined> {
    const [row] = await this.#query(
      `select client.value from ${this.#schema}.records link
       join ${this.#schema}.records client on client.kind = 'client' and client.client = link.client
       where link.key = $1`,
      [recordKey('identity', identity)],
    )
    return row && textOf(row)
  }

  async page({ kind, filters, cursor = '', pageSize }: CheckedQuery): Promise<TextPage> {
    const conditions = filters.map(([field], at) => `and ${field} = $${at + 4}`)
    const rows = await this.#query(
      `select key, value from ${this.#schema}.records where kind = $1 and key > $2 ${conditions.join(' ')}
       order by key limit $3`,
      [kind, cursor, pageSize + 1, ...filters.map(([, value]) => value)],
    )
    const page = rows.slice(0, pageSize)
    const last = rows.length > pageSize ? page.at(-1) : undefined
    return { texts: page.map(textOf), cursor: last === undefined ? undefined : String(last['key']) }
  }

  commit(changes: readonly CheckedChange[]): Promise<void> {
    return inTransaction(this.#pool, this.timeoutMs, async (run) => {
      // One at a time: an expectation that nothing stands there has no row that could be locked.
      await run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [this.#channel])
      await this.#expect(run, changes)
      await this.#write(run, changes)
      const hint = hintText(writtenKeys(changes))
      const payload = Buffer.byteLength(hint) > longestHintBytes ? '' : hint
      await run('select pg_notify($1, $2)', [this.#channel, payload])
    })
  }

  subscribe(message: (text: string) => void, lost: () => void): Subscribed {
    const connecting = this.#pool.connect()
    const ready = connecting.then(async (connection) => {
      connection.on('error', lost)
      connection.on('end', lost)
      connection.on('notification', ({ payload = '' }) => {
        message(payload)
      })
      await connection.query({ text: `listen ${this.#channel}` })
    })
    return {
      ready,
      ping: async () => (await connecting).query({ text: 'select 1' }),
      close: () => {
        connecting.then((connection) => {
          connection.release(true)
        }, ignore)
      },
    }
  }

  close(): void {
    this.#pool.removeListener('error', ignore)
  }

  async #query(text: string, values: unknown[] = []): Promise<PostgresResult['rows']> {
    try {
      return (await this.#pool.query({ text, values, query_timeout: this.timeoutMs })).rows
    } catch (error) {
      throw (error as { code?: unknown } | undefined)?.code === undefinedTable ? tablesMissing() : error
    }
  }

  async #expect(run: RunStatement, changes: readonly CheckedChange[]): Promise<void> {
    const keys = changes.map(({ storeKey }) => storeKey)
    const { rows } = await run(`select key, version from ${this.#schema}.records where key = any($1)`, [keys])
    const versions = new Map(rows.map(({ key, version }) => [key, Number(version)]))
    for (const { storeKey, expect, target } of changes) {
      if ((versions.get(storeKey) ?? null) !== expect) throw conflict(target.kind)
    }
  }

  async #write(run: RunStatement, changes: readonly CheckedChange[]): Promise<void> {
    const written = changes.filter(({ value }) => value !== undefined).map(({ storeKey }) => storeKey)
    await run(`delete from ${this.#schema}.records where key = any($1)`, [written])
    const rows = changes.flatMap(rowOf)
    const column = (at: number): unknown[] => rows.map((row) => row[at])
    await run(
      `insert into ${this.#schema}.records (key, kind, version, api, client, state, value)
       select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])`,
      [0, 1, 2, 3, 4, 5, 6].map(column),
    )
  }
}

type Row = readonly unknown[]

/** A client stands under its own ID, by which its identities find it. */
function rowOf({ target: { kind }, storeKey, value }: CheckedChange): Row[] {
  if (value === undefined || value === null) return []
  const field = (name: 'api' | 'client' | 'state'): string | null => fieldOf(value, name) ?? null
  const client = kind === 'client' ? (value as Records['client']['value']).id : field('client')
  return [[storeKey, kind, value.version, field('api'), client, field('state'), JSON.stringify(value)]]
}

function tablesMissing(): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_STORE', 'postgresStore(): the tables are missing; run migratePostgres().')
}

function textOf({ value }: Readonly<Record<string, unknown>>): string {
  return String(value)
}
