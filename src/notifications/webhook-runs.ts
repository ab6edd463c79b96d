import { everyRecord } from '../contracts/every-record.js'
import type { AuditEntry } from '../contracts/model.js'
import { followerOfWebhook, newFollower } from '../contracts/new-follower.js'
import type { Webhook } from '../contracts/notification-model.js'
import type { ContractStore } from '../contracts/store.js'
import { contain } from '../runtime/contain.js'
import { Pause } from '../runtime/pause.js'
import { failureOf } from './delivery-failure.js'
import type { LifecycleFollower } from './follow-lifecycle.js'
import type { CheckedFollowerOptions } from './follower-options.js'
import { FollowerRun, type Followed } from './follower-run.js'
import { onLogChange } from './log-change.js'
import { headOf } from './log-reader.js'

type Send = (webhook: string, entry: AuditEntry, signal: AbortSignal) => Promise<void>

/** A run for each webhook that is active, begun and ended as they come and go. */
export class WebhookRuns implements LifecycleFollower {
  readonly #runs = new Map<string, FollowerRun>()
  readonly #pause = new Pause()
  readonly #stops: readonly (() => void)[]
  readonly #over: Promise<void>
  #begun: () => void = () => undefined
  readonly #ready = new Promise<void>((resolve) => {
    this.#begun = resolve
  })
  #isClosed = false
  #changes = 0

  constructor(
    private readonly store: ContractStore,
    private readonly send: Send,
    private readonly options: CheckedFollowerOptions,
  ) {
    const wake = (): void => {
      for (const run of this.#runs.values()) run.wake()
    }
    const look = (): void => {
      this.#changes++
      this.#pause.end()
    }
    this.#stops = [onLogChange(store, wake), onLogChange(store, look, ['webhook'])]
    this.#over = this.#run()
  }

  ready(): Promise<void> {
    return this.#ready
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const stop of this.#stops) stop()
    this.#pause.stop()
    await this.#over
    await Promise.all([...this.#runs.values()].map((run) => run.close()))
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const changes = this.#changes
      await this.#look().then(this.#begun, (error: unknown) => {
        const { reason } = failureOf(error)
        contain(this.options.onEvent, { kind: 'unavailable', follower: 'webhook', reason } as const)
      })
      if (this.#changes === changes) await this.#pause.wait(this.options.pollMs)
    }
    this.#begun()
  }

  async #look(): Promise<void> {
    const active = new Map<string, Webhook>()
    for await (const webhook of everyRecord<'webhook'>(this.store, { kind: 'webhook', state: 'active' })) {
      active.set(webhook.id, webhook)
    }
    for (const [id, run] of this.#runs) {
      if (active.has(id)) continue
      this.#runs.delete(id)
      // Not waited for: its receiver may be slow, and others are not to wait for that.
      void run.close()
    }
    for (const [id, webhook] of active) {
      if (!this.#runs.has(id)) this.#runs.set(id, new FollowerRun(this.store, this.#followed(webhook), this.options))
    }
  }

  #followed({ id, events }: Webhook): Followed {
    const name = followerOfWebhook(id)
    return {
      name,
      wants: ({ step }) => events?.includes(step) ?? true,
      deliver: (entry, signal) => this.send(id, entry, signal),
      // Without a place of its own it begins with what comes; without its webhook it is over.
      first: async () =>
        (await this.store.find('webhook', { id })) === undefined
          ? undefined
          : newFollower(name, await headOf(this.store)),
    }
  }
}
