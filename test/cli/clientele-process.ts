import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { prebuilt } from '../support/prebuilt.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Surroundings {
  readonly store?: string
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** The command as a process of its own, on the sources. */
export async function clientele(surroundings: Surroundings, ...parameters: readonly string[]): Promise<Ended> {
  const { store, input = '', environment = {} } = surroundings
  const named = [store, ...Object.values(environment), ...parameters]
  // A config file in TypeScript wants a loader, and the same modules as the command.
  const command = named.some((each) => each?.endsWith('.ts') === true)
    ? ['--import', 'tsx', 'src/cli/main.ts']
    : [await prebuilt(new URL('../../src/cli/main.ts', import.meta.url))]
  const child = spawn(process.execPath, [...command, ...parameters], {
    cwd: root,
    env: { ...process.env, CLIENTELE_ACTOR: 'ann', ...(store && { CLIENTELE_STORE: store }), ...environment },
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const ended = once(child, 'exit')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = (await ended) as [number | null]
  return { code, stdout, stderr }
}

/** What a command answers to scripts; a test that comes here has a command that works. */
export async function answerOf(surroundings: Surroundings, ...parameters: readonly string[]) {
  const { code, stdout, stderr } = await clientele(surroundings, '--json', ...parameters)
  if (code !== 0) throw new Error(`clientele ${parameters.join(' ')} ended with ${String(code)}:\n${stderr}`)
  return JSON.parse(stdout)
}
