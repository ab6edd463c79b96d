import { checkChanges, checkQuery, ClienteleFault, recordKey } from 'clientele'
import type { CheckedChange, Client, ContractStore, ListQuery, Page, RecordKind, Records } from 'clientele'
import type { Pool, PoolClient, QueryResult } from 'pg'

/** Contracts in one table of PostgreSQL, the one of schema.sql. The pool is the store's own: `close` ends it. */
export function postgresStore(pool: Pool, log: (line: string) => void = console.error): ContractStore {
  // The errors of pg hold the whole connection: their words will do.
  const logWords = ({ code = '', message }: Error & { code?: string }) => {
    log(`PostgreSQL: ${code} ${message}`)
  }
  // Without a listener a connection that breaks while nobody uses it would end the process.
  pool.on('error', logWords)

  /** What PostgreSQL has to say goes into the log: a fault keeps no messages of others. */
  async function ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof ClienteleFault) throw error
      logWords(error as Error)
      throw new ClienteleFault('ERR_CLIENTELE_STORE', 'The contracts in PostgreSQL cannot be had.', { cause: error })
    }
  }

  async function rows(sql: string, ...values: unknown[]): Promise<Row[]> {
    return ask(async () => (await pool.query<Row>(sql, values)).rows)
  }

  async function find<K extends RecordKind>(kind: K, key: Records[K]['key']): Promise<Records[K]['value'] | undefined> {
    const [row] = await rows('select key, record::text from contract_records where key = $1', recordKey(kind, key))
    return row && (parse(row) as Records[K]['value'])
  }

  return {
    capabilities: { atomicCommits: true, indexedLists: true },

    async findClient(identity) {
      const [row] = await rows(clientByIdentity, recordKey('identity', identity))
      return row && (parse(row) as Client)
    },
    findContract: (client, api) => find('contract', { client, api }),
    findTier: (api, name) => find('tier', { api, name }),
    find,

    async commit(changes) {
      const checked = checkChanges(changes)
      await ask(() => inTransaction(pool, checked))
    },

    async list<K extends RecordKind>(query: ListQuery<K>): Promise<Page<K>> {
      const { kind, filters, cursor = '', pageSize } = checkQuery(query)
      const { api, client, state } = Object.fromEntries(filters)
      const found = await rows(page, kind, cursor, api, client, state, pageSize + 1)
      const records = found.slice(0, pageSize).map(parse) as Records[K]['value'][]
      const last = found.length > pageSize ? found[pageSize - 1] : undefined
      return last === undefined ? { records } : { records, cursor: last.key }
    },

    async close() {
      if (!pool.ending) await pool.end()
    },
  }
}

const clientByIdentity = `
  select client.key, client.record::text from contract_records as identity
  join contract_records as client on client.kind = 'client' and client.client = identity.client
  where identity.key = $1`

const page = `
  select key, record::text from contract_records
  where kind = $1 and key > $2 and ($3::text is null or api = $3)
    and ($4::text is null or client = $4) and ($5::text is null or state = $5)
  order by key limit $6`

interface Row {
  readonly key: string
  readonly record: string
}

/** Frozen all the way down. */
function parse({ record }: Row): unknown {
  return JSON.parse(record, (_name, member: unknown) => Object.freeze(member))
}

async function inTransaction(pool: Pool, changes: readonly CheckedChange[]): Promise<void> {
  const connection = await pool.connect()
  try {
    await connection.query('begin')
    // Always in the same order, so that no two commits wait for each other.
    for (const change of changes.toSorted(byKey)) await make(connection, change)
    await connection.query('commit')
    connection.release()
  } catch (error) {
    await connection.query('rollback').then(
      () => {
        connection.release()
      },
      () => {
        connection.release(true)
      },
    )
    throw error
  }
}

function byKey(one: CheckedChange, other: CheckedChange): number {
  return one.storeKey < other.storeKey ? -1 : 1
}

/** Each statement finds exactly the row that the change expects, and holds it until the transaction is over. */
async function make(connection: PoolClient, change: CheckedChange): Promise<void> {
  const { storeKey, expect, value } = change
  if (expect === null) {
    // Only rows can be held. So the place of a record is taken even where none shall stand in the end.
    requireOne(await connection.query(insert, rowOf(change)))
    if (!value) await connection.query('delete from contract_records where key = $1', [storeKey])
  } else if (value === undefined) {
    requireOne(await connection.query(`select from contract_records where ${expected} for share`, [storeKey, expect]))
  } else if (value === null) {
    requireOne(await connection.query(`delete from contract_records where ${expected}`, [storeKey, expect]))
  } else {
    requireOne(await connection.query(update, [...rowOf(change), expect]))
  }
}

const expected = 'key = $1 and version = $2'
const insert = `insert into contract_records (key, kind, version, api, client, state, record)
  values ($1, $2, $3, $4, $5, $6, $7) on conflict (key) do nothing`
const update = `update contract_records
  set kind = $2, version = $3, api = $4, client = $5, state = $6, record = $7 where key = $1 and version = $8`

function rowOf({ target, storeKey, value }: CheckedChange): unknown[] {
  const { id, client = id, api, state } = { ...target.key, ...value } as Partial<Record<string, string | null>>
  return [storeKey, target.kind, value?.version ?? 0, api, client, state, JSON.stringify(value ?? null)]
}

function requireOne({ rowCount }: QueryResult): void {
  if (rowCount === 1) return
  throw new ClienteleFault('ERR_CLIENTELE_CONFLICT', 'The record has changed since it was read; read it again.')
}
