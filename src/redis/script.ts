import { createHash } from 'node:crypto'
import type { RedisCommands } from './connection.js'

/** A script of the server's, under the name that the server has for it. */
export interface RedisScript {
  readonly text: string
  readonly sha: string
}

export function script(text: string): RedisScript {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/** The first is the server's word, the second what GLIDE makes of it. */
const unknownScript = /^NOSCRIPT|NoScriptError/

/** A server that was restarted knows no scripts: then the text is sent along. */
export async function runScript(
  connection: RedisCommands,
  { text, sha }: RedisScript,
  keys: readonly string[],
  parameters: readonly string[] = [],
): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...parameters]
  try {
    return await connection.command('EVALSHA', sha, ...rest)
  } catch (error) {
    if (!(error instanceof Error) || !unknownScript.test(error.message)) throw error
    return connection.command('EVAL', text, ...rest)
  }
}
