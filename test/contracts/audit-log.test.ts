import { describe, expect, it, vi } from 'vitest'
import {
  approveContract,
  defineTier,
  endSecret,
  memoryStore,
  onLifecycle,
  readAuditLog,
  registerClient,
  requestContract,
  rotateSecret,
  type AuditEntry,
  type ContractStore,
  type LifecycleEvent,
} from 'clientele'
import { interrupted } from './lifecycle-support.js'

const limits = [{ requests: 10, windowSeconds: 60 }]

async function logOf(store: ContractStore, after?: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = []
  for await (const entry of readAuditLog(store, after === undefined ? {} : { after })) entries.push(entry)
  return entries
}

async function walk(store: ContractStore): Promise<{ secret: string }> {
  await defineTier(store, { api: 'orders', name: 'gold', approval: 'manual', limits, actor: 'ann' })
  const { client, clientSecret } = await registerClient(store, { name: 'Shop', actor: 'bob' })
  await requestContract(store, { client: client.id, api: 'orders', tier: 'gold', reason: 'please', actor: 'bob' })
  await approveContract(store, { client: client.id, api: 'orders', actor: 'ann' })
  return { secret: clientSecret }
}

/** A store in which a record is not what was written. */
function forged(store: ContractStore, forge: (entry: AuditEntry) => AuditEntry | undefined): ContractStore {
  return {
    ...interrupted(store, async () => undefined),
    find: async (kind, key) => {
      const found = await store.find(kind, key)
      return kind === 'audit' ? forge(found as AuditEntry) : found
    },
  }
}

describe('the audit log', () => {
  it('says who did what, in order, and each entry follows from the one before', async () => {
    const store = memoryStore()
    await walk(store)
    const entries = await logOf(store)
    expect(entries.map(({ entry, step, actor }) => [Number(entry), step, actor])).toEqual([
      [1, 'defineTier', 'ann'],
      [2, 'registerClient', 'bob'],
      [3, 'requestContract', 'bob'],
      [4, 'approveContract', 'ann'],
    ])
    expect(entries[2]).toMatchObject({ api: 'orders', tier: 'gold', state: 'pending', reason: 'please' })
    expect(entries[1]).toMatchObject({ issuer: 'local', state: 'active' })
    expect(await logOf(store, '000000000002')).toEqual(entries.slice(2))
    await expect(logOf(store, '2')).rejects.toMatchObject({ code: 'ERR_CLIENTELE_INVALID' })
  })

  it('shows an entry that was edited, removed or put elsewhere', async () => {
    const store = memoryStore()
    await walk(store)
    const second = (await logOf(store))[1]!
    const broken = { code: 'ERR_CLIENTELE_INVALID', message: expect.stringContaining('broken at entry') }
    const edit = forged(store, (entry) => (entry.entry === second.entry ? { ...entry, actor: 'eve' } : entry))
    const hole = forged(store, (entry) => (entry.entry === second.entry ? undefined : entry))
    const swap = forged(store, (entry) => (entry.entry === '000000000004' ? second : entry))
    for (const one of [edit, hole, swap]) await expect(logOf(one)).rejects.toMatchObject(broken)
  })

  it('holds no secret, and nothing of what is stored of one', async () => {
    const store = memoryStore()
    await walk(store)
    const { client } = await registerClient(store, { name: 'Old', clientSecret: 'correct horse', actor: 'bob' })
    const rotated = await rotateSecret(store, { client: client.id, overlapSeconds: 60, actor: 'bob' })
    const ended = await endSecret(store, { client: client.id, secret: client.secrets[0]!.id, actor: 'bob' })
    const text = JSON.stringify(await logOf(store))
    expect(text).not.toContain(rotated.clientSecret)
    expect(text).not.toContain('correct horse')
    for (const secret of [...client.secrets, ...ended.secrets]) expect(text).not.toContain(secret.hash)
    expect((await logOf(store)).at(-1)).toMatchObject({ step: 'endSecret', secret: client.secrets[0]!.id })
  })

  it('has no entry of a step that was not made', async () => {
    const store = memoryStore()
    await walk(store)
    const before = await logOf(store)
    const { records } = await store.list<'contract'>({ kind: 'contract' })
    const key = { client: records[0]!.client, api: 'orders', actor: 'ann' }
    await expect(approveContract(store, key)).rejects.toMatchObject({ code: 'ERR_CLIENTELE_STATE' })
    const late = interrupted(store, () => rotateSecret(store, { client: key.client, overlapSeconds: 0, actor: 'x' }))
    await expect(rotateSecret(late, { client: key.client, overlapSeconds: 0, actor: 'y' })).rejects.toMatchObject({
      code: 'ERR_CLIENTELE_CONFLICT',
    })
    expect((await logOf(store)).slice(before.length).map(({ actor }) => actor)).toEqual(['x'])
  })

  it('takes the next place when somebody else was faster', async () => {
    const store = memoryStore()
    await walk(store)
    const late = interrupted(store, () => registerClient(store, { name: 'Other', actor: 'eve' }))
    await registerClient(late, { name: 'Mine', actor: 'dan' })
    expect((await logOf(store)).slice(-2).map(({ actor }) => actor)).toEqual(['eve', 'dan'])
  })
})

describe('onLifecycle', () => {
  it('tells of each step once it is committed, until it is stopped', async () => {
    const store = memoryStore()
    const events: LifecycleEvent[] = []
    const stop = onLifecycle(store, (event) => events.push(event))
    await walk(store)
    expect(events).toEqual(await logOf(store))
    expect(Object.isFrozen(events[0])).toBe(true)
    stop()
    await registerClient(store, { name: 'Quiet', actor: 'bob' })
    expect(events).toHaveLength(4)
  })

  it('is not told of a step that failed, and cannot make one fail', async () => {
    const store = memoryStore()
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const events: string[] = []
    onLifecycle(store, ({ step }) => {
      events.push(step)
      throw new Error('mine')
    })
    onLifecycle(store, async () => Promise.reject(new TypeError('mine too')))
    await registerClient(store, { name: 'Shop', clientId: 'shop', actor: 'bob' })
    await expect(registerClient(store, { name: 'Shop', clientId: 'shop', actor: 'bob' })).rejects.toThrow('taken')
    expect(events).toEqual(['registerClient'])
    await vi.waitFor(() => expect(warned).toHaveBeenCalledTimes(2), { timeout: 10_000 })
    warned.mockRestore()
  })
})
