import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished } from 'vitest'
import { defineTier, memoryStore, readAuditLog, registerClient, requestContract, type ContractStore } from 'clientele'
import { diskStore } from 'clientele/disk'
import { beginAgain, deliveries, DeliveryFailure, followLifecycle, type FollowerEvent } from 'clientele/notifications'
import { firstLine, killed, startChild } from '../support/child-process.js'
import { fieldOf, SmtpProcess } from '../support/smtp-process.js'
import { faultOf } from '../support/fault-of.js'
import { until } from '../support/until.js'

const actor = 'ann'
const limits = [{ requests: 10, windowSeconds: 60 }]
const quick = { pollMs: 100, timeoutMs: 500, claimMs: 1500 }

async function register(store: ContractStore, ...names: readonly string[]): Promise<void> {
  for (const name of names) await registerClient(store, { name, actor })
}

/** A follower that writes down what it is told, until the test is over. */
function follow(store: ContractStore, options: Partial<Parameters<typeof followLifecycle>[1]> = {}) {
  const events: FollowerEvent[] = []
  const told: string[] = []
  const deliver = ({ entry }: { entry: string }): Promise<unknown> => Promise.resolve(told.push(entry))
  const onEvent = (event: FollowerEvent) => events.push(event)
  const follower = followLifecycle(store, { name: 'tool', from: 'start', deliver, onEvent, ...quick, ...options })
  onTestFinished(() => follower.close())
  return { follower, events, told }
}

const numbered = (...numbers: readonly number[]): string[] => numbers.map((number) => String(number).padStart(12, '0'))

/** A store in all but its finds, which also says nothing of changes. */
function besides(store: ContractStore): object {
  const { capabilities } = store
  const nothing = () => undefined
  return {
    capabilities,
    findClient: nothing,
    findContract: nothing,
    findTier: nothing,
    list: store.list.bind(store),
    commit: store.commit.bind(store),
  }
}

async function startMailer(path: string, port: number) {
  const child = await startChild(new URL('children/mailer.ts', import.meta.url), JSON.stringify({ path, port }))
  const kill = () => killed(child)
  onTestFinished(kill)
  const mailer = { kill, mailed: 0 }
  await firstLine(child)
  createInterface({ input: child.stdout }).on('line', () => mailer.mailed++)
  return mailer
}

describe('two processes that mail', () => {
  it('lose no mail when the one at work is killed, and send at most the one under way twice', async () => {
    const path = mkdtempSync(join(tmpdir(), 'clientele-mailers-'))
    onTestFinished(() => rmSync(path, { recursive: true, force: true }))
    const store = diskStore({ path })
    onTestFinished(() => store.close())
    const server = await SmtpProcess.start()
    onTestFinished(() => server.kill())
    await defineTier(store, { api: 'orders', name: 'free', approval: 'automatic', limits, actor })
    const mailers = await Promise.all([startMailer(path, server.port), startMailer(path, server.port)])
    const count = 25
    for (let each = 0; each < count; each++) {
      const { client } = await registerClient(store, { name: 'Shop', owner: `dev${String(each)}@example.org`, actor })
      await requestContract(store, { client: client.id, api: 'orders', tier: 'free', actor })
    }
    await until(() => mailers.some(({ mailed }) => mailed >= 3))
    await mailers.find(({ mailed }) => mailed >= 3)?.kill()
    const received = () => new Set(server.mails.flatMap(({ to }) => to))
    await until(() => received().size === count)
    const ids = server.mails.map((mail) => fieldOf(mail, 'message-id'))
    expect(new Set(ids).size).toBe(count)
    expect(ids.length).toBeLessThanOrEqual(count + 1)
  }, 60_000)
})

describe('a follower', () => {
  it('is told of each step in order, from the beginning, also of those while it was away', async () => {
    const store = memoryStore()
    await register(store, 'One', 'Two')
    const first = follow(store)
    await until(() => first.told.length === 2)
    await first.follower.close()
    await register(store, 'Three')
    const second = follow(store)
    await register(store, 'Four')
    await until(() => second.told.length === 2)
    expect([...first.told, ...second.told]).toEqual(numbered(1, 2, 3, 4))
  })

  it('that begins now is told of what comes after ready(), and of nothing before', async () => {
    const store = memoryStore()
    await register(store, 'One')
    const { follower, told } = follow(store, { from: 'now' })
    await follower.ready()
    await register(store, 'Two')
    await until(() => told.length === 1)
    expect(told).toEqual(numbered(2))
  })

  it('works alone: of many on one store each entry goes to one', async () => {
    const store = memoryStore()
    const all = Array.from({ length: 5 }, () => follow(store))
    await register(store, ...Array.from({ length: 20 }, String))
    await until(() => all.flatMap(({ told }) => told).length >= 20)
    expect(all.flatMap(({ told }) => told).sort()).toEqual(numbered(...Array.from({ length: 20 }, (_, at) => at + 1)))
  })

  it('gives up what fails for good or too often, lists it, and goes on', async () => {
    const store = memoryStore()
    const deliver = ({ entry }: { entry: string }): Promise<void> => {
      if (entry.endsWith('1')) return Promise.reject(new Error('user@example.com said no'))
      return entry.endsWith('2')
        ? Promise.reject(new DeliveryFailure('GONE', { about: 'for good' }))
        : Promise.resolve()
    }
    const { events } = follow(store, { deliver, attempts: 2 })
    await register(store, 'One', 'Two', 'Three')
    await until(() => events.some(({ kind }) => kind === 'delivered'))
    expect(events.map((event) => [event.kind, 'entry' in event ? event.entry : ''])).toEqual([
      ['retrying', numbered(1)[0]],
      ['failed', numbered(1)[0]],
      ['failed', numbered(2)[0]],
      ['delivered', numbered(3)[0]],
    ])
    const [state] = await deliveries(store)
    expect(state).toMatchObject({ name: 'tool', behind: 0, retrying: [] })
    expect(state?.failed.map(({ entry, attempts, reason }) => [entry, attempts, reason])).toEqual([
      [numbered(1)[0], 2, 'Error'],
      [numbered(2)[0], 1, 'GONE'],
    ])
    expect(JSON.stringify([state, events])).not.toContain('user@example.com')
  })

  it('waits no longer than its time for one that hangs', async () => {
    const store = memoryStore()
    let isOver = false
    const deliver = (_entry: unknown, signal: AbortSignal): Promise<never> => {
      signal.addEventListener('abort', () => {
        isOver = true
      })
      return new Promise(() => undefined)
    }
    const { events } = follow(store, { deliver, timeoutMs: 100, attempts: 1 })
    await register(store, 'One')
    await until(() => events.length === 1)
    expect(events).toMatchObject([{ kind: 'failed', reason: 'TIMEOUT' }])
    expect(isOver).toBe(true)
  })

  it('does not pass on an entry that somebody has edited in the store', async () => {
    const store = memoryStore()
    await register(store, 'One', 'Two')
    const find = async (kind: string, key: { readonly entry: string }): Promise<unknown> => {
      const found = await Promise.resolve(store.find(kind as 'audit', key))
      return kind === 'audit' && key.entry.endsWith('1') ? { ...found, actor: 'mallory' } : found
    }
    const forged = { ...besides(store), find } as unknown as ContractStore
    const { told, events } = follow(forged)
    await until(() => told.length === 1)
    expect(told).toEqual(numbered(2))
    expect(events[0]).toMatchObject({ kind: 'failed', reason: 'ENTRY_BROKEN' })
  })

  it('goes on when the store is there again', async () => {
    const store = memoryStore()
    let isAway = true
    const find = (kind: 'audit', key: { readonly entry: string }): unknown => {
      if (isAway) throw Object.assign(new Error('secret'), { code: 'ECONNREFUSED' })
      return store.find(kind, key)
    }
    const shaky = { ...besides(store), find } as unknown as ContractStore
    const { told, events } = follow(shaky)
    await until(() => events.length > 0)
    expect(events[0]).toEqual({ kind: 'unavailable', follower: 'tool', reason: 'ECONNREFUSED' })
    isAway = false
    await register(store, 'One')
    await until(() => told.length === 1)
  })

  it('changes nothing about the audit log by what it writes down', async () => {
    const store = memoryStore()
    const { told } = follow(store)
    await register(store, 'One', 'Two')
    await until(() => told.length === 2)
    const entries: string[] = []
    for await (const { entry } of readAuditLog(store)) entries.push(entry)
    expect(entries).toEqual(numbered(1, 2))
  })

  it('is refused for a store that cannot be written to, and without a function', async () => {
    const options = { name: 'tool', deliver: () => Promise.resolve() }
    const reader = { findClient: () => undefined, findContract: () => undefined, findTier: () => undefined }
    for (const call of [
      () => followLifecycle(reader as unknown as ContractStore, options),
      () => followLifecycle(memoryStore(), { ...options, deliver: 'x' } as never),
    ]) {
      expect(await faultOf(call)).toMatchObject({ code: 'ERR_CLIENTELE_OPTIONS' })
    }
  })
})

describe('a follower that has come further than the log goes', () => {
  it('says so, once, and goes on from the entry that it is told', async () => {
    const store = memoryStore()
    await register(store, 'One', 'Two')
    const [far] = numbered(999)
    const value = { name: 'tool', version: 1, after: far!, retrying: [], failed: [] }
    await store.commit([{ kind: 'follower', key: { name: 'tool' }, expect: null, value }])
    const { events, told } = follow(store)
    await until(() => events.length > 0)
    await register(store, 'Three')
    const [head] = numbered(2)
    expect(events).toEqual([{ kind: 'ahead', follower: 'tool', after: far, head }])
    expect(await deliveries(store)).toMatchObject([{ behind: 0, ahead: 996 }])
    expect(told).toEqual([])

    await expect(beginAgain(store, { follower: 'tool', after: far! })).rejects.toThrow(/the log ends at 0{11}3/)
    await expect(beginAgain(store, { follower: 'nobody' })).rejects.toMatchObject({ code: 'ERR_CLIENTELE_NOT_FOUND' })
    await beginAgain(store, { follower: 'tool', after: numbered(1)[0]! })
    await until(() => told.length === 2)
    expect(told).toEqual(numbered(2, 3))
    await beginAgain(store, { follower: 'tool' })
    await register(store, 'Four')
    await until(() => told.length === 3)
    expect(await deliveries(store)).toMatchObject([{ behind: 0, ahead: 0 }])
    expect(events.filter(({ kind }) => kind === 'ahead')).toHaveLength(1)
  })
})
