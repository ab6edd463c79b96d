import { inTransaction, type PostgresPool, type RunStatement } from './pool.js'

/** Long, since a second process waits for the first. */
const timeoutMs = 60_000

/** Each step is taken once, and never changed afterwards: what is new comes at the end. */
const steps: readonly ((schema: string) => readonly string[])[] = [
  (schema) => [
    // Compared byte by byte, whatever the collation of the database is.
    `create table ${schema}.records (
      key text collate "C" primary key,
      kind text collate "C" not null,
      version bigint not null,
      api text collate "C",
      client text collate "C",
      state text collate "C",
      value text collate "C" not null
    )`,
    `create index records_by_api on ${schema}.records (kind, api, key) where api is not null`,
    `create index records_by_client on ${schema}.records (kind, client, key) where client is not null`,
    `create index records_by_state on ${schema}.records (kind, state, key) where state is not null`,
  ],
]

/** Those who start together wait for each other. Where there is nothing to do, no right to create anything is needed. */
export async function bringUpToDate(pool: PostgresPool, schema: string): Promise<void> {
  const taken = await stepsTaken((text, values = []) => pool.query({ text, values }), schema)
  if (taken >= steps.length) return
  await inTransaction(pool, timeoutMs, async (run) => {
    await run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`${schema}.migrations`])
    await takeSteps(run, schema)
  })
}

async function takeSteps(run: RunStatement, schema: string): Promise<void> {
  const { rows } = await run('select to_regnamespace($1) is null as missing', [schema])
  if (rows[0]?.['missing'] === true) await run(`create schema ${schema}`)
  await run(`create table if not exists ${schema}.migrations (step integer primary key)`)
  for (let step = await stepsTaken(run, schema); step < steps.length; step++) {
    for (const statement of steps[step]?.(schema) ?? []) await run(statement)
    await run(`insert into ${schema}.migrations (step) values ($1)`, [step + 1])
  }
}

async function stepsTaken(run: RunStatement, schema: string): Promise<number> {
  const { rows } = await run('select to_regclass($1) is not null as there', [`${schema}.migrations`])
  if (rows[0]?.['there'] !== true) return 0
  const counted = await run(`select count(*)::integer as steps from ${schema}.migrations`)
  return Number(counted.rows[0]?.['steps'])
}
