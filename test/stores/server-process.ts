import { setTimeout as sleep } from 'node:timers/promises'
import type { CachedStoreOptions } from 'clientele'
import { call, type Answer } from '../support/call.js'
import { firstLine, killed, startChild, type Child } from '../support/child-process.js'
import type { StorePlace } from './children/open-store.js'

export interface Credentials {
  readonly clientId: string
  readonly clientSecret: string
}

/** A process of its own that serves `GET /orders` from a store. */
export class ServerProcess {
  readonly #child: Child
  readonly #url: string

  private constructor(child: Child, url: string) {
    this.#child = child
    this.#url = url
  }

  static async start(
    place: StorePlace,
    { cache, watch = true }: { readonly cache?: CachedStoreOptions; readonly watch?: boolean } = {},
  ): Promise<ServerProcess> {
    const settings = JSON.stringify({ place, cache, watch })
    const child = await startChild(new URL('children/server.ts', import.meta.url), settings)
    return new ServerProcess(child, `http://127.0.0.1:${await firstLine(child)}`)
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
      await sleep(5)
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  kill(): Promise<void> {
    return killed(this.#child)
  }
}
