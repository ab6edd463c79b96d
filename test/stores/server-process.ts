import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { CachedStoreOptions } from 'clientele'
import { call, type Answer } from '../support/call.js'
import type { StorePlace } from './children/open-store.js'

export interface Credentials {
  readonly clientId: string
  readonly clientSecret: string
}

/** A process of its own that serves `GET /orders` from a store. */
export class ServerProcess {
  readonly #child: ChildProcess
  readonly #url: string

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.#url = url
  }

  static async start(
    place: StorePlace,
    { cache, watch = true }: { readonly cache?: CachedStoreOptions; readonly watch?: boolean } = {},
  ): Promise<ServerProcess> {
    const child = startChild('server', JSON.stringify({ place, cache, watch }))
    const lines = createInterface({ input: child.stdout })
    const [port] = (await Promise.race([once(lines, 'line'), once(child, 'exit')])) as unknown[]
    if (typeof port !== 'string') throw new Error('the server process ended before it listened')
    return new ServerProcess(child, `http://127.0.0.1:${port}`)
  }

  get({ clientId, clientSecret }: Credentials): Promise<Answer> {
    const headers = [
      ['client_id', clientId],
      ['client_secret', clientSecret],
    ] as const
    return call(this.#url, { path: '/orders', headers })
  }

  /** Asks until the answer is as expected, and says how many milliseconds after `since` that was. */
  async msUntil(credentials: Credentials, isExpected: (answer: Answer) => boolean, since: number): Promise<number> {
    for (;;) {
      const answer = await this.get(credentials)
      const now = performance.now()
      if (isExpected(answer)) return now - since
      if (now - since > 20_000) throw new Error(`still ${answer.status} ${answer.text}`)
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}

export function startChild(script: string, ...parameters: readonly string[]) {
  const file = fileURLToPath(new URL(`./children/${script}.ts`, import.meta.url))
  return spawn(process.execPath, ['--import', 'tsx', file, ...parameters], { stdio: ['pipe', 'pipe', 'inherit'] })
}
