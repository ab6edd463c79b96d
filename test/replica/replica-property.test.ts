import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cachedStore, memoryStore, type Contract, type ContractStore, type RecordKey } from 'clientele'
import { replicate, type ContractSource, type Replica } from 'clientele/replica'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { messageOf } from '../../src/replica/feed-message.js'
import { signerOf, verifierOf } from '../../src/replica/feed-signature.js'
import { readMessage } from '../../src/replica/read-message.js'
import type { SourceAnswer, SourceQuestion } from '../../src/replica/source.js'
import { StoreSource } from '../../src/replica/store-source.js'
import { momentNow } from '../../src/runtime/moment.js'
import { contractRecord, putContract } from '../../src/testing/contract-store-fixtures.js'
import { bound, sharedKey } from './replica-support.js'
import { rounds } from '../support/rounds.js'

const maxAgeMs = 20_000
const everyMs = 1000
const scanEveryMs = 3000
const timeoutMs = 800
/** After which, with nothing in the way, a replica has what its source has: a back-off, a scan, a question, a rest. */
const calmMs = 3 * (scanEveryMs + everyMs)

/** How an answer fares: as it should, never there, late, cut off, or in its place one of before. */
type Network = 'good' | 'lost' | 'late' | 'cut' | 'repeated' | 'swapped'

type Step =
  | { readonly do: 'edit'; readonly isHinted: boolean }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'network'; readonly how: Network }
  | { readonly do: 'store'; readonly isDown: boolean }
  | { readonly do: 'restart feed' }
  | { readonly do: 'restart replica'; readonly downMs: number }
  | { readonly do: 'step clock'; readonly ms: number }

const waitMs = fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 2 * maxAgeMs }))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('edit' as const), isHinted: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: waitMs }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('network' as const),
      how: fc.constantFrom<Network>('good', 'good', 'lost', 'late', 'cut', 'repeated', 'swapped'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('store' as const), isDown: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart feed' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart replica' as const), downMs: waitMs }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('step clock' as const), ms: fc.integer({ min: -60_000, max: 60_000 }) }),
  },
)

/** What is true at the source, and since when. */
class Source {
  readonly revisions: { readonly from: number; readonly version: number }[] = []
  readonly #inner = memoryStore()
  #changed: (keys: readonly RecordKey[]) => void = () => undefined
  isDown = false

  readonly store: ContractStore = {
    ...bound(this.#inner),
    find: ((kind: 'contract', key: { client: string; api: string }) =>
      this.#asked(() => this.#inner.find(kind, key))) as ContractStore['find'],
    list: ((query: { kind: 'contract' }) => this.#asked(() => this.#inner.list(query))) as ContractStore['list'],
    watch: (changed) => {
      this.#changed = changed
      return () => undefined
    },
  }

  #asked<T>(work: () => T): T {
    if (this.isDown) throw new Error('down')
    return work()
  }

  async edit(isHinted: boolean): Promise<void> {
    const version = this.revisions.length + 1
    const state = version % 2 === 1 ? 'approved' : 'revoked'
    const value = contractRecord('one', 'orders', { version, state })
    await this.#inner.commit([putContract(value, version === 1 ? null : version - 1)])
    this.revisions.push({ from: performance.now(), version })
    if (isHinted) this.#changed([{ kind: 'contract', key: { client: 'one', api: 'orders' } }])
  }

  /** Until when this was the truth. */
  endOf(version: number): number {
    return this.revisions[version]?.from ?? Infinity
  }
}

const signer = signerOf({ sharedKey })
const verifier = verifierOf({ sharedKey })

/** A feed and the way to it: the messages are the true ones, and what becomes of them is the network's to say. */
class Wire implements ContractSource {
  network: Network = 'good'
  feed: StoreSource
  readonly #source: Source
  readonly #sent: Buffer[] = []
  #asked = 0

  constructor(source: Source) {
    this.#source = source
    this.feed = this.#newFeed()
  }

  restartFeed(): void {
    this.feed.close()
    this.feed = this.#newFeed()
  }

  #newFeed(): StoreSource {
    return new StoreSource(this.#source.store, { scanEveryMs, timeoutMs })
  }

  async read(question: SourceQuestion): Promise<SourceAnswer> {
    const { after = null, waitMs } = question
    const asked = { nonce: `nonce-${String(++this.#asked)}`, after, waitMs }
    const sentAt = momentNow()
    const lines = await this.feed.lines(question)
    const waitedMs = performance.now() - sentAt.monotonicMs
    const bytes = Buffer.from([...messageOf(lines, { ...asked, waitedMs }, signer)].join(''))
    this.#sent.push(bytes)
    return readMessage(await this.#carried(bytes), { ...asked, sentAt }, verifier)
  }

  async #carried(bytes: Buffer): Promise<Buffer> {
    if (this.network === 'lost') throw new Error('lost')
    if (this.network === 'late') await new Promise((resolve) => setTimeout(resolve, 5000))
    if (this.network === 'cut') return bytes.subarray(0, bytes.length / 2)
    if (this.network === 'repeated') return this.#sent[0] ?? bytes
    if (this.network === 'swapped') return this.#sent.at(-2) ?? bytes
    return bytes
  }

  close(): void {
    // Outlives the replicas that ask it.
  }
}

class Edge {
  readonly #path: string
  readonly #wire: Wire
  readonly #source: Source
  #replica!: Replica
  #cached!: ContractStore
  #newestSeen = 0

  constructor(path: string, wire: Wire, source: Source) {
    this.#path = path
    this.#wire = wire
    this.#source = source
    this.start()
  }

  start(): void {
    this.#newestSeen = 0
    const terms = { everyMs, maxAgeMs, onEvent: () => undefined }
    this.#replica = replicate({ from: this.#wire, into: { path: this.#path }, ...terms })
    this.#cached = cachedStore(this.#replica, { freshForMs: 30_000 })
  }

  stop(): Promise<void> {
    return this.#replica.close()
  }

  async judge(): Promise<void> {
    const direct = await this.#judged(this.#replica)
    const cached = await this.#judged(this.#cached)
    if (direct === undefined) expect(cached, 'a cache decides no longer than what is below it').toBeUndefined()
  }

  async #judged(store: ContractStore): Promise<number | undefined> {
    let contract: Contract | undefined
    try {
      contract = await store.findContract('one', 'orders')
    } catch (error) {
      expect(error).toMatchObject({ status: 503, code: expect.stringMatching(/_(NOT_READY|STALE)$/) })
      return undefined
    }
    expect(contract, 'nobody is turned away as unknown').toBeDefined()
    const { version } = contract!
    const now = performance.now()
    expect(this.#source.endOf(version), `version ${version} is within its bound`).toBeGreaterThanOrEqual(now - maxAgeMs)
    expect(version, 'never goes back').toBeGreaterThanOrEqual(this.#newestSeen)
    this.#newestSeen = version
    return version
  }

  /** With nothing in the way any more it has what is true. */
  async expectNewest(): Promise<void> {
    const newest = this.#source.revisions.length
    expect(await this.#judged(this.#replica)).toBe(newest)
    expect(await this.#judged(this.#cached)).toBe(newest)
  }
}

async function take(each: Step, source: Source, wire: Wire, edge: Edge): Promise<void> {
  if (each.do === 'edit') await source.edit(each.isHinted)
  if (each.do === 'wait') await vi.advanceTimersByTimeAsync(each.ms)
  if (each.do === 'network') wire.network = each.how
  if (each.do === 'store') source.isDown = each.isDown
  if (each.do === 'restart feed') wire.restartFeed()
  if (each.do === 'step clock') vi.setSystemTime(Date.now() + each.ms)
  if (each.do === 'restart replica') {
    await edge.stop()
    await vi.advanceTimersByTimeAsync(each.downMs)
    edge.start()
  }
}

async function play(script: readonly Step[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'clientele-replica-'))
  const source = new Source()
  await source.edit(false)
  const wire = new Wire(source)
  const edge = new Edge(join(directory, 'replica'), wire, source)
  try {
    await vi.advanceTimersByTimeAsync(100)
    for (const each of script) {
      await take(each, source, wire, edge)
      await edge.judge()
    }
    wire.network = 'good'
    source.isDown = false
    await vi.advanceTimersByTimeAsync(calmMs + 5000)
    await edge.expectNewest()
  } finally {
    await edge.stop()
    wire.feed.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: [
      'performance',
      'Date',
      'hrtime',
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'clearInterval',
      'setImmediate',
    ],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('property 2: a replica decides on nothing older than its bound, and never goes back', () => {
  it('whatever is lost, late, repeated, restarted or set back', { timeout: 600_000 }, async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30, size: 'max' }), play), {
      seed: 20_261_122,
      numRuns: rounds(25, 60),
    })
  })
})
