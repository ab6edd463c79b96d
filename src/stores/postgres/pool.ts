import { tooLate } from '../../contracts/reader.js'
import { monotonicClock } from '../../runtime/clock.js'

/** What is used of a `Pool` of `pg`. */
export interface PostgresPool {
  connect(): Promise<PostgresConnection>
  query(query: PostgresQuery): Promise<PostgresResult>
  on(event: 'error', listener: () => void): unknown
  removeListener(event: 'error', listener: () => void): unknown
}

export interface PostgresConnection {
  query(query: PostgresQuery): Promise<PostgresResult>
  /** `true` closes it for good. */
  release(destroy?: boolean): void
  on(event: 'error' | 'end', listener: () => void): unknown
  on(event: 'notification', listener: (message: PostgresNotification) => void): unknown
  removeListener(event: 'error', listener: () => void): unknown
}

export interface PostgresNotification {
  readonly payload?: string | undefined
}

export interface PostgresQuery {
  readonly text: string
  values?: unknown[]
  /** In milliseconds; then the connection is given up. */
  query_timeout?: number
}

export interface PostgresResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

/** For errors that the next statement tells of, too. Without a listener they would end the process. */
export function ignore(): void {
  return undefined
}

export type RunStatement = (text: string, values?: unknown[]) => Promise<PostgresResult>

/**
 * Runs work in one transaction, each statement of which sees what others have committed before. Commits within
 * `timeoutMs` or never: afterwards the caller has been told that it failed.
 */
export async function inTransaction(
  pool: PostgresPool,
  timeoutMs: number,
  work: (run: RunStatement) => Promise<void>,
): Promise<void> {
  const until = monotonicClock() + timeoutMs
  const connection = await pool.connect()
  const run: RunStatement = (text, values = []) => {
    const leftMs = Math.ceil(until - monotonicClock())
    if (leftMs <= 0) throw tooLate(timeoutMs)
    return connection.query({ text, values, query_timeout: leftMs })
  }
  connection.on('error', ignore)
  let isSound = false
  try {
    await run('begin isolation level read committed read write')
    await run(settings(timeoutMs))
    await work(run)
    await run('commit')
    isSound = true
  } catch (error) {
    isSound = await isRolledBack(connection, timeoutMs)
    throw error
  } finally {
    connection.release(!isSound)
    if (isSound) connection.removeListener('error', ignore)
  }
}

/** Whatever the role's own settings are. A process that hangs in a transaction holds up no other for long. */
function settings(timeoutMs: number): string {
  const names = ['statement_timeout', 'idle_in_transaction_session_timeout']
  const set = names.map((name) => `set_config('${name}', '${timeoutMs}', true)`)
  return `select ${set.join(', ')}, set_config('synchronous_commit', 'on', true)`
}

async function isRolledBack(connection: PostgresConnection, timeoutMs: number): Promise<boolean> {
  try {
    await connection.query({ text: 'rollback', query_timeout: timeoutMs })
    return true
  } catch {
    return false
  }
}
