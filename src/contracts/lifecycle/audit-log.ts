import { ClienteleFault } from '../../decisions/faults.js'
import type { MaybePromise } from '../../decisions/maybe-promise.js'
import { contain } from '../../runtime/contain.js'
import { deadline } from '../../runtime/deadline.js'
import { checkRecord } from '../check-record.js'
import type { AuditEntry, AuditHead, LifecycleStep, StepDetails } from '../model.js'
import type { Change, ContractStore } from '../store.js'
import { auditHash, entryNumbered, firstPrevious, headKey } from './audit-chain.js'

/** A step that is about to be made. */
export interface Step extends StepDetails {
  readonly step: LifecycleStep
  readonly actor: string
}

/** What `onLifecycle` is told of a step: its entry in the audit log. */
export type LifecycleEvent = AuditEntry

const listenersOf = new WeakMap<ContractStore, Set<(event: LifecycleEvent) => unknown>>()

/**
 * For mails, webhooks and logs: tells of each step that lifecycle functions make through this very store object, once
 * it is committed. Steps of other processes are not told; `readAuditLog` has them. A listener can neither change nor
 * delay a step; what it throws, or rejects with, becomes a process warning. Returns the way to stop.
 */
export function onLifecycle(store: ContractStore, listener: (event: LifecycleEvent) => unknown): () => void {
  const listeners = listenersOf.get(store) ?? new Set()
  listenersOf.set(store, listeners)
  // A function of its own, so that one that listens twice is told twice and stops once.
  const told = (event: LifecycleEvent): unknown => listener(event)
  listeners.add(told)
  return () => {
    listeners.delete(told)
  }
}

/** Commits through one store object, one after the other: they would all want the end of the log. */
const lines = new WeakMap<ContractStore, Promise<unknown>>()
const longestTurnMs = 10_000

/** What a commit is to write, and what it says of it in the log. */
export interface Decision<T> {
  readonly changes: readonly Change[]
  readonly steps: readonly Step[]
  readonly result: T
}

/** The one way in which the lifecycle writes: the changes and their place in the audit log, in one commit. */
export function commit(store: ContractStore, changes: readonly Change[], steps: readonly Step[]): Promise<void> {
  return commitDecided(store, () => ({ changes, steps, result: undefined }))
}

/**
 * The same where what is to be written depends on more records than it can name, as a count does: no other step comes
 * between the decision and its commit. Where one has, `decide` is asked again.
 */
export function commitDecided<T>(store: ContractStore, decide: () => MaybePromise<Decision<T>>): Promise<T> {
  const before = lines.get(store) ?? Promise.resolve()
  const turn = before.then(() => append(store, decide))
  // A store that gives no answer holds up whoever comes next for a while, and not for ever.
  const late = (): Error => new Error('too late')
  lines.set(
    store,
    deadline(turn, longestTurnMs, late).catch(() => undefined),
  )
  return turn
}

const mostAttempts = 200

async function append<T>(store: ContractStore, decide: () => MaybePromise<Decision<T>>): Promise<T> {
  let head = await store.find('audit-head', headKey)
  for (let attempt = 1; ; attempt++) {
    const { changes, steps, result } = await decide()
    if (changes.length === 0) return result
    const entries = chained(steps, head)
    try {
      await store.commit([...changes, ...additions(entries, head)])
      tell(store, entries)
      return result
    } catch (error) {
      const now = isConflict(error) ? await store.find('audit-head', headKey) : head
      // Only where somebody else has taken our place in the log is it worth another try.
      if (now?.version === head?.version || attempt === mostAttempts) throw error
      head = now
      await pause(Math.random() * Math.min(attempt, 50))
    }
  }
}

function chained(steps: readonly Step[], head: AuditHead | undefined): AuditEntry[] {
  let previous = head?.hash ?? firstPrevious
  const at = new Date().toISOString()
  return steps.map((step, index) => {
    const members = { ...step, entry: entryNumbered((head?.version ?? 0) + index + 1), version: 1, at, previous }
    const entry = { ...members, hash: auditHash(members) }
    previous = entry.hash
    return checkRecord('audit', entry)
  })
}

function additions(entries: readonly AuditEntry[], head: AuditHead | undefined): Change[] {
  const last = entries.at(-1)
  if (last === undefined) return []
  const value = { ...headKey, version: Number(last.entry), hash: last.hash }
  return [
    ...entries.map((entry) => ({ kind: 'audit', key: { entry: entry.entry }, expect: null, value: entry }) as const),
    // The last of all, so that a conflict about anything else is named before this one.
    { kind: 'audit-head', key: headKey, expect: head?.version ?? null, value },
  ]
}

function tell(store: ContractStore, entries: readonly AuditEntry[]): void {
  const listeners = listenersOf.get(store)
  if (listeners === undefined) return
  for (const entry of entries) for (const listener of listeners) contain(listener, entry)
}

export function isConflict(error: unknown): boolean {
  return error instanceof ClienteleFault && error.code === 'ERR_CLIENTELE_CONFLICT'
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
