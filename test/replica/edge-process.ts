import type { ReplicaStatus } from 'clientele/replica'
import { onTestFinished } from 'vitest'
import { call, type Answer } from '../support/call.js'
import { firstLine, killed, startChild, type Child } from '../support/child-process.js'
import { secretOf, type SeededClient } from '../support/seeded-store.js'
import { sharedKey } from './replica-support.js'

export interface EdgeOptions {
  readonly path: string
  readonly feedUrl: string
  readonly maxAgeMs?: number
  readonly start?: 'flexible' | 'strict'
  readonly clockStepMs?: number
}

interface Opened {
  readonly port: number
  readonly openedMs: number
  readonly ready: boolean
}

/** A process of its own that serves `GET /orders` from its replica. */
export class EdgeProcess {
  readonly #child: Child
  readonly opened: Opened

  private constructor(child: Child, opened: Opened) {
    this.#child = child
    this.opened = opened
  }

  static async start(options: EdgeOptions): Promise<EdgeProcess> {
    const settings = { maxAgeMs: 3_600_000, start: 'flexible', clockStepMs: 0, sharedKey, ...options }
    const child = await startReplicaChild('edge', JSON.stringify(settings))
    return new EdgeProcess(child, JSON.parse(await firstLine(child)) as Opened)
  }

  get(client: SeededClient): Promise<Answer> {
    const headers = [
      ['client_id', client.clientId],
      ['client_secret', secretOf(client)],
    ] as const
    return call(this.#url, { path: '/orders', headers })
  }

  /** 200, or the code of what stood against it. */
  async outcome(client: SeededClient): Promise<unknown> {
    const { status, json } = await this.get(client)
    return status === 200 ? 200 : (json as { code?: string }).code
  }

  async status(): Promise<ReplicaStatus> {
    return (await call(this.#url, { path: '/ready' })).json as ReplicaStatus
  }

  stepClock(ms: number): void {
    this.#child.stdin.write(`${ms}\n`)
  }

  kill(): Promise<void> {
    return killed(this.#child)
  }

  get #url(): string {
    return `http://127.0.0.1:${this.opened.port}`
  }
}

export async function startReplicaChild(script: string, ...parameters: readonly string[]): Promise<Child> {
  const child = await startChild(new URL(`children/${script}.ts`, import.meta.url), ...parameters)
  onTestFinished(() => killed(child))
  return child
}
