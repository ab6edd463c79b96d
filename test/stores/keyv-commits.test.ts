import {
  approveContract,
  defineTier,
  linkIdentity,
  registerClient,
  rejectContract,
  removeClient,
  requestContract,
  type Client,
  type Contract,
  type ContractStore,
  type IdentityLink,
  type RecordKind,
  type Tier,
} from 'clientele'
import { keyvStore } from 'clientele/keyv'
import { describe, expect, it } from 'vitest'
import { contractRecord, putContract } from '../../src/testing/contract-store-fixtures.js'
import { FailingAdapter, FailingAdapterForMany } from './failing-adapter.js'
import { describeEachMajor } from './keyv-majors.js'

const actor = 'test'
const soleWriter = { soleWriter: true } as const

/** An adapter of a process that dies before one of its writes: from then on it does nothing any more. */
class DyingAdapter extends FailingAdapter {
  #left: number

  constructor(rows: Map<string, unknown>, writes: number) {
    super('throws', rows)
    this.#left = writes
  }

  get isDead(): boolean {
    return this.failing.size > 0
  }

  override async set(key: string, value: unknown): Promise<unknown> {
    this.#count()
    return super.set(key, value)
  }

  override async delete(key: string): Promise<boolean> {
    this.#count()
    return super.delete(key)
  }

  #count(): void {
    this.#left -= 1
    if (this.#left < 0) this.fail('get', 'set', 'delete')
  }
}

/** An adapter that lets somebody else in right after the next write of a row of some kind. */
class RacingAdapter extends FailingAdapter {
  afterSet: (() => Promise<void>) | undefined
  kindOfRow = 'clientele/contract/'

  override async set(key: string, value: unknown): Promise<unknown> {
    const done = await super.set(key, value)
    const after = key.includes(this.kindOfRow) ? this.afterSet : undefined
    if (after !== undefined) this.afterSet = undefined
    await after?.()
    return done
  }
}

/** An adapter whose writes can be held up, and still arrive. */
class HangingAdapter extends FailingAdapter {
  hangs = false
  release = (): void => undefined

  override async set(key: string, value: unknown): Promise<unknown> {
    if (this.hangs) {
      await new Promise<void>((resolve) => {
        this.release = resolve
      })
    }
    return super.set(key, value)
  }
}

interface State {
  readonly client: readonly Client[]
  readonly identity: readonly IdentityLink[]
  readonly contract: readonly Contract[]
  readonly tier: readonly Tier[]
}

/** Everything that can be found, by list and by key. */
async function stateOf(store: ContractStore): Promise<State> {
  const all = async <K extends RecordKind>(kind: K) => (await store.list<K>({ kind, pageSize: 1000 })).records
  const state = {
    client: await all('client'),
    identity: await all('identity'),
    contract: await all('contract'),
    tier: await all('tier'),
  }
  for (const record of state.client) expect(await store.find('client', record)).toEqual(record)
  for (const record of state.identity) expect(await store.find('identity', record)).toEqual(record)
  for (const record of state.contract) expect(await store.find('contract', record)).toEqual(record)
  for (const record of state.tier) expect(await store.find('tier', record)).toEqual(record)
  return state
}

/** Records that are written together stand there together. */
function expectWhole({ client, identity, contract }: State): void {
  for (const link of identity.filter((each) => each.client !== null)) {
    const holder = client.find(({ id }) => id === link.client)
    expect(holder?.identities).toContainEqual({ issuer: link.issuer, clientId: link.clientId })
  }
  for (const { id, identities } of client) {
    for (const held of identities) expect(identity).toContainEqual(expect.objectContaining({ ...held, client: id }))
  }
  // What the former holder of a linked identity was barred from, the new one is too.
  const linked = identity.find(({ clientId }) => clientId === 'gone')?.client
  for (const { client, state } of contract.filter(({ api }) => api === 'orders')) {
    if (client === linked) expect(state).toBe('revoked')
  }
}

const limits = [{ requests: 10, windowSeconds: 60 }]

/** A client with contracts, one of them rejected, and the identity of a client that was removed with a bar. */
async function prepare(store: ContractStore): Promise<string> {
  await defineTier(store, { api: 'orders', name: 'gold', approval: 'manual', limits, actor })
  const gone = await registerClient(store, { name: 'gone', clientId: 'gone', actor })
  const { client } = await registerClient(store, { name: 'app', clientId: 'app', actor })
  for (const { id } of [gone.client, client]) {
    await requestContract(store, { client: id, api: 'orders', tier: 'gold', actor })
    await rejectContract(store, { client: id, api: 'orders', actor })
    await requestContract(store, { client: id, api: 'reports', actor })
  }
  await removeClient(store, { client: gone.client.id, actor })
  return client.id
}

const moves: Readonly<Record<string, (store: ContractStore, client: string) => Promise<unknown>>> = {
  registerClient: (store) => registerClient(store, { name: 'new', clientId: 'new', actor }),
  linkIdentity: (store, client) =>
    linkIdentity(store, { client, issuer: 'local', clientId: 'gone', reuse: true, actor }),
  requestContract: (store, client) => requestContract(store, { client, api: 'other', actor }),
  approveContract: async (store, client) => {
    await requestContract(store, { client, api: 'orders', tier: 'gold', actor })
    return approveContract(store, { client, api: 'orders', actor, ownRequest: true })
  },
}

const settled = async (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  )

describeEachMajor('a commit of keyvStore', (Keyv) => {
  const open = (rows: Map<string, unknown>, options = {}) =>
    keyvStore(new Keyv({ store: new FailingAdapter('throws', rows) }), options)

  it.each(Object.keys(moves))('of %s is whole, wherever the process dies', async (name) => {
    const rows = new Map<string, unknown>()
    const client = await prepare(open(rows, soleWriter))
    const before = await stateOf(open(rows))
    const outcomes = new Set<string>()
    for (let writes = 0; ; writes++) {
      const copy = new Map(rows)
      const adapter = new DyingAdapter(copy, writes)
      const isAcknowledged = await settled(moves[name]!(keyvStore(new Keyv({ store: adapter }), soleWriter), client))
      const seen = await stateOf(open(copy))
      expectWhole(seen)
      const isAsBefore = JSON.stringify(seen) === JSON.stringify(before)
      outcomes.add(`${isAcknowledged ? 'acknowledged' : 'rejected'} and ${isAsBefore ? 'as before' : 'changed'}`)
      await expectRepaired(copy, seen)
      if (!adapter.isDead) break
    }
    expect([...outcomes]).toContain('rejected and as before')
    expect([...outcomes]).toContain('acknowledged and changed')
    expect([...outcomes]).not.toContain('acknowledged and as before')
  })

  /** The next writer finds what everybody else found, and leaves it so. */
  async function expectRepaired(rows: Map<string, unknown>, seen: State): Promise<void> {
    const next = open(rows, soleWriter)
    const key = { api: 'orders', name: 'gold' }
    await next.commit([{ kind: 'tier', key, expect: (await next.find('tier', key))!.version }])
    expect(await stateOf(next)).toEqual(seen)
    const head = [...rows].find(([row]) => row.includes('clientele/head'))?.[1]
    expect(String(head)).toMatch(/\\"pending\\":\[\]/)
  }

  it('of removeClient never lets a bar get lost', async () => {
    const rows = new Map<string, unknown>()
    const client = await prepare(open(rows, soleWriter))
    for (let writes = 0; ; writes++) {
      const copy = new Map(rows)
      const adapter = new DyingAdapter(copy, writes)
      await settled(removeClient(keyvStore(new Keyv({ store: adapter }), soleWriter), { client, actor }))
      const next = open(copy, soleWriter)
      await settled(removeClient(next, { client, actor }))
      expect(await next.find('identity', { issuer: 'local', clientId: 'app' })).toMatchObject({
        client: null,
        barredApis: ['orders'],
      })
      expect((await next.list({ kind: 'contract', client })).records).toEqual([])
      expect(await next.find('client', { id: client })).toBeUndefined()
      if (!adapter.isDead) break
    }
  })

  it('does not take what it could not look at for deleted', async () => {
    const adapter = new FailingAdapterForMany('is silent')
    const store = keyvStore(new Keyv({ store: adapter }), soleWriter)
    const contract = contractRecord('one', 'orders')
    await store.commit([putContract(contract)])
    const [remove, read] = [adapter.delete.bind(adapter), adapter.getMany.bind(adapter)]
    adapter.delete = async () => {
      adapter.getMany = async (keys) => {
        adapter.getMany = read
        adapter.delete = remove
        return keys.map(() => undefined)
      }
      return false
    }
    const key = { client: 'one', api: 'orders' }
    await store.commit([{ kind: 'contract', key, expect: contract.version, value: null }])
    expect(await store.findContract('one', 'orders')).toBeUndefined()
    await store.commit([putContract(contractRecord('two', 'orders'))])
    expect(await store.findContract('one', 'orders')).toBeUndefined()
    expect(JSON.stringify([...adapter.rows])).not.toContain('contract/one')
  })

  describe('and its writers', () => {
    it('is refused without soleWriter, by name of the remedy', async () => {
      const rows = new Map<string, unknown>()
      await prepare(open(rows, soleWriter))
      const reader = open(rows)
      const before = new Map(rows)
      await expect(registerClient(reader, { name: 'a', actor })).rejects.toMatchObject({
        code: 'ERR_CLIENTELE_OPTIONS',
        message: expect.stringContaining('soleWriter: true') as string,
      })
      expect(rows).toEqual(before)
    })

    it('waits in line among the stores over one Keyv', async () => {
      const keyv = new Keyv({ store: new FailingAdapter('throws') })
      const stores = [keyvStore(keyv, soleWriter), keyvStore(keyv, soleWriter)]
      const attempts = Array.from({ length: 20 }, (_, at) =>
        stores[at % 2]!.commit([putContract(contractRecord('one', 'orders', { reason: String(at) }))]).then(
          () => 'made',
          (error: unknown) => (error as { code?: string }).code,
        ),
      )
      const conflicts = Array.from({ length: 19 }, () => 'ERR_CLIENTELE_CONFLICT')
      expect((await Promise.all(attempts)).sort()).toEqual([...conflicts, 'made'])
    })

    it('goes to the writer that came last, and the one before is refused from then on and still reads', async () => {
      const rows = new Map<string, unknown>()
      const [first, second] = [open(rows, soleWriter), open(rows, soleWriter)]
      await registerClient(first, { name: 'a', clientId: 'a', actor })
      await registerClient(second, { name: 'b', clientId: 'b', actor })
      for (let round = 0; round < 2; round++) {
        await expect(registerClient(first, { name: 'c', actor })).rejects.toMatchObject({
          code: 'ERR_CLIENTELE_OPTIONS',
          message: expect.stringContaining('another process has written') as string,
        })
      }
      expect(await first.findClient({ issuer: 'local', clientId: 'b' })).toBeDefined()
      await registerClient(second, { name: 'd', actor })
      expect((await first.list({ kind: 'client' })).records).toHaveLength(3)
    })

    it('waits for a write that was given up, lest it arrive after the next one', async () => {
      const adapter = new HangingAdapter('throws')
      const store = keyvStore(new Keyv({ store: adapter }), { soleWriter: true, timeoutMs: 50 })
      const contract = contractRecord('one', 'orders')
      await store.commit([putContract(contract)])
      const edit = (reason: string) =>
        store.commit([putContract({ ...contract, version: contract.version + 1, reason }, contract.version)])
      adapter.hangs = true
      await expect(edit('first')).rejects.toMatchObject({ code: 'ERR_CLIENTELE_STORE' })
      adapter.hangs = false
      await expect(edit('second')).rejects.toMatchObject({ code: 'ERR_CLIENTELE_STORE' })
      adapter.release()
      await expect(edit('third')).rejects.toMatchObject({ code: 'ERR_CLIENTELE_CONFLICT' })
      expect(await store.findContract('one', 'orders')).toMatchObject({ reason: 'first' })
    })

    it.each([
      ['the same record', 'one', 'ERR_CLIENTELE_STORE'],
      ['another record', 'two', 'ERR_CLIENTELE_OPTIONS'],
    ] as const)('tells a writer that another one wrote %s while it wrote', async (_, client, code) => {
      const rows = new Map<string, unknown>()
      const adapter = new RacingAdapter('throws', rows)
      const store = keyvStore(new Keyv({ store: adapter }), soleWriter)
      const before = { one: contractRecord('one', 'orders'), two: contractRecord('two', 'orders') }
      await store.commit([putContract(before.one), putContract(before.two)])
      const next = (contract: Contract, expect: number, reason: string) =>
        putContract({ ...contract, version: expect + 1, reason }, expect)
      const { one, [client]: other } = before
      const seen = client === 'one' ? one.version + 1 : other.version
      const intruder = open(rows, soleWriter)
      adapter.afterSet = () => intruder.commit([next(other, seen, 'theirs')])
      await expect(store.commit([next(one, one.version, 'ours')])).rejects.toMatchObject({ code })
      expect(await store.findContract(client, 'orders')).toMatchObject({ reason: 'theirs' })
    })

    it('writes nothing over another one that came in between', async () => {
      const rows = new Map<string, unknown>()
      const adapter = new RacingAdapter('throws', rows)
      const store = keyvStore(new Keyv({ store: adapter }), soleWriter)
      await store.commit([putContract(contractRecord('one', 'orders'))])
      const intruder = open(rows, soleWriter)
      adapter.kindOfRow = 'clientele/keys/'
      adapter.afterSet = () => intruder.commit([putContract(contractRecord('theirs', 'orders'))])
      await expect(registerClient(store, { name: 'ours', clientId: 'ours', actor })).rejects.toMatchObject({
        code: 'ERR_CLIENTELE_OPTIONS',
      })
      expect(await intruder.findClient({ issuer: 'local', clientId: 'ours' })).toBeUndefined()
      await intruder.commit([putContract(contractRecord('more', 'orders'))])
      expect((await store.list({ kind: 'contract' })).records).toHaveLength(3)
      expect((await store.list({ kind: 'client' })).records).toEqual([])
    })
  })
})
