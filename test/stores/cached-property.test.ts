import { cachedStore, memoryStore, type Contract, type ContractStore, type RecordKey } from 'clientele'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { contractRecord } from '../../src/testing/contract-store-fixtures.js'
import { turn } from './cached-support.js'

const freshForMs = 2000
const staleForMs = 20_000
const timeoutMs = 800
const unknownForMs = 2000
const longestLatencyMs = 1500
/** What may pass between the asking and the deciding, where the store answers in time. */
const bound = freshForMs * 1.5 + timeoutMs

/** What may happen, each with how long it takes or how it goes. */
type Step =
  | { readonly do: 'edit'; readonly hint: 'lost' | 'late' | 'twice' | 'at once' }
  | { readonly do: 'remove'; readonly hint: 'lost' | 'late' | 'twice' | 'at once' }
  | { readonly do: 'find'; readonly latencyMs: number; readonly readsLate: boolean }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'fail'; readonly failing: boolean }
  | { readonly do: 'reconnect' }

const hint = fc.constantFrom('lost' as const, 'late' as const, 'twice' as const, 'at once' as const)
const latencyMs = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: longestLatencyMs }))
const waitMs = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 4000 }))
const edit = fc.record({ do: fc.constantFrom('edit' as const, 'remove' as const), hint })
const find = fc.record({ do: fc.constant('find' as const), latencyMs, readsLate: fc.boolean() })
const reconnect = fc.constant({ do: 'reconnect' as const })
const wait = (ms: fc.Arbitrary<number>) => fc.record({ do: fc.constant('wait' as const), ms })
const fail = (failing: fc.Arbitrary<boolean>) => fc.record({ do: fc.constant('fail' as const), failing })
const fast = fc.constant({ do: 'find' as const, latencyMs: 1, readsLate: false })
const slow = fc.constantFrom(
  { do: 'find' as const, latencyMs: 700, readsLate: false },
  { do: 'find' as const, latencyMs: 1400, readsLate: false },
)

/** Single steps, and what would rarely come together by chance: look-ups that overtake each other, and long outages. */
const steps: fc.Arbitrary<Step[]> = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.tuple(edit) },
      { weight: 8, arbitrary: fc.tuple(find) },
      { weight: 5, arbitrary: fc.tuple(wait(waitMs)) },
      { weight: 1, arbitrary: fc.tuple(fail(fc.boolean())) },
      { weight: 1, arbitrary: fc.tuple(reconnect) },
      {
        weight: 1,
        arbitrary: fc.tuple(
          fail(fc.constant(false)),
          fc.constant({ do: 'remove' as const, hint: 'at once' as const }),
          slow,
          wait(fc.constantFrom(10, timeoutMs + 10)),
          edit,
          fast,
          wait(fc.integer({ min: 600, max: 1500 })),
          fast,
        ),
      },
      {
        weight: 1,
        arbitrary: fc.tuple(
          slow,
          wait(fc.constantFrom(10, timeoutMs + 10)),
          edit,
          fc.oneof(find, reconnect),
          fast,
          wait(fc.integer({ min: 600, max: 1500 })),
          fast,
        ),
      },
      {
        weight: 1,
        arbitrary: fc.tuple(
          fast,
          wait(fc.constant(10)),
          fail(fc.constant(true)),
          edit,
          wait(fc.integer({ min: 18_000, max: 25_000 })),
          fast,
          fail(fc.boolean()),
        ),
      },
    ),
    { minLength: 1, maxLength: 40, size: 'max' },
  )
  .map((parts) => parts.flat())

interface Revision {
  readonly from: number
  readonly contract: Contract | undefined
}

const keys: RecordKey[] = [{ kind: 'contract', key: { client: 'one', api: 'orders' } }]

/** A source with its whole history, behind a network that loses, delays and repeats. */
class Model {
  readonly revisions: Revision[] = [{ from: -1, contract: undefined }]
  readonly failures: number[] = []
  readonly finds: Promise<void>[] = []
  /** The revisions that hints have told of, with when they arrived. */
  readonly told: { readonly at: number; readonly revision: number }[] = []
  failing = false
  next = { latencyMs: 0, readsLate: false }
  newestSeen = 0
  #changed: (keys: readonly RecordKey[]) => void = () => undefined
  #missed: () => void = () => undefined

  readonly store: ContractStore = Object.assign(Object.create(memoryStore()) as ContractStore, {
    findContract: () => this.#answer(),
    watch: (changed: (keys: readonly RecordKey[]) => void, missed = () => undefined) => {
      this.#changed = changed
      this.#missed = missed
      return () => undefined
    },
  })

  async #answer(): Promise<Contract | undefined> {
    const { latencyMs, readsLate } = this.next
    const before = this.#now()
    if (latencyMs >= timeoutMs) this.failures.push(performance.now() + timeoutMs)
    await new Promise((resolve) => setTimeout(resolve, latencyMs))
    if (this.failing) {
      this.failures.push(performance.now())
      throw new Error('down')
    }
    return readsLate ? this.#now() : before
  }

  #now(): Contract | undefined {
    return this.revisions.at(-1)?.contract
  }

  edit(contract: Contract | undefined, how: 'lost' | 'late' | 'twice' | 'at once'): void {
    this.revisions.push({ from: performance.now(), contract })
    const revision = this.revisions.length - 1
    const tell = (): void => {
      this.told.push({ at: performance.now(), revision })
      this.#changed(keys)
    }
    if (how === 'at once' || how === 'twice') tell()
    if (how === 'late' || how === 'twice') setTimeout(tell, 700)
  }

  reconnect(): void {
    this.told.push({ at: performance.now(), revision: this.revisions.length - 1 })
    this.#missed()
  }

  /** Of what was answered: the last revision that it can be. */
  revisionOf(contract: Contract | undefined, sinceMs: number): number {
    for (let index = this.revisions.length - 1; index >= 0; index -= 1) {
      const revision = this.revisions[index]
      const until = this.revisions[index + 1]?.from ?? Infinity
      if (revision?.contract?.version === contract?.version && until >= sinceMs) return index
    }
    return -1
  }
}

async function findAndJudge(model: Model, cached: ContractStore): Promise<void> {
  const begunAt = performance.now()
  const told = model.told.filter(({ at }) => at <= begunAt).map(({ revision }) => revision)
  const seenAtStart = model.newestSeen
  let contract: Contract | undefined
  try {
    contract = await cached.findContract('one', 'orders')
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_CLIENTELE_STORE', status: 503 })
    return
  }
  const now = performance.now()
  const failedMeanwhile = model.failures.some((at) => at >= now - bound)
  // No such contract is never said for longer than it is remembered, and never because of a failure.
  const since = contract === undefined ? unknownForMs + longestLatencyMs : failedMeanwhile ? staleForMs : bound
  const revision = model.revisionOf(contract, now - since)
  expect(revision, `bounded: ${contract?.version} at ${now}`).toBeGreaterThanOrEqual(0)
  expect(revision, 'never goes back').toBeGreaterThanOrEqual(seenAtStart)
  if (!failedMeanwhile) expect(revision, 'heeds hints').toBeGreaterThanOrEqual(Math.max(0, ...told))
  model.newestSeen = Math.max(model.newestSeen, revisionSeen(model, contract))
}

/** Without the benefit of the doubt: the first revision that it can be, for one that is there. */
function revisionSeen(model: Model, contract: Contract | undefined): number {
  if (contract === undefined) return 0
  return model.revisions.findIndex((revision) => revision.contract?.version === contract.version)
}

async function play(script: readonly Step[]): Promise<void> {
  const model = new Model()
  const cached = cachedStore(model.store, { freshForMs, staleForMs, timeoutMs, unknownForMs })
  let version = 1
  for (const each of script) {
    if (each.do === 'edit') model.edit(contractRecord('one', 'orders', { version: ++version }), each.hint)
    if (each.do === 'remove') model.edit(undefined, each.hint)
    if (each.do === 'fail') model.failing = each.failing
    if (each.do === 'reconnect') model.reconnect()
    if (each.do === 'wait') await vi.advanceTimersByTimeAsync(each.ms)
    if (each.do === 'find') {
      model.next = each
      const finding = findAndJudge(model, cached)
      finding.catch(() => undefined)
      model.finds.push(finding)
      await turn()
    }
  }
  await vi.advanceTimersByTimeAsync(5000)
  await Promise.all(model.finds)
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('property 2: a cache is invisible within its bound', () => {
  it('whatever is edited, lost, late, repeated, slow or down', { timeout: 120_000 }, async () => {
    await fc.assert(fc.asyncProperty(steps, play), {
      seed: 20_261_121,
      numRuns: 100,
    })
  })
})
