import type { ClienteleFault } from '../../decisions/faults.js'
import type { RedisConnection } from './client.js'
import { policyScript, runScript } from './scripts.js'

/**
 * Makes sure that a server throws nothing away when it is full. Asked once, and again only if that failed. `key`: any
 * of ours; `refused`: what a server is told that does.
 */
export function withoutEviction(
  connection: RedisConnection,
  key: string,
  refused: () => ClienteleFault,
): () => Promise<void> {
  const check = async (): Promise<void> => {
    if ((await runScript(connection, policyScript, [key])) !== 'noeviction') throw refused()
  }
  let checking: Promise<void> | undefined
  return () => {
    checking ??= check().catch((error: unknown) => {
      checking = undefined
      throw error
    })
    return checking
  }
}
