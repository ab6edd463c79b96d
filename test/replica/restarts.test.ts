import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { memoryStore, revokeContract } from 'clientele'
import { describe, expect, it } from 'vitest'
import { listen } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'
import { EdgeProcess } from './edge-process.js'
import { approved, feedOf, kinds, names, ownDirectory, replica, storeWith } from './replica-support.js'
import { until } from '../support/until.js'

const nowhere = 'http://127.0.0.1:9'

/** A feed that can be taken down, and an edge that has read it once. */
async function synchronized(options: { readonly maxAgeMs?: number } = {}) {
  const { store, clients } = await seededStore()
  const feed = await listen(feedOf(store))
  const path = ownDirectory()
  const edge = await EdgeProcess.start({ path, feedUrl: feed.url, ...options })
  await until(async () => (await edge.status()).ready)
  return { store, clients, feed, path, edge }
}

/** As it stands in `replica.json`. */
function keptIn(path: string): { generation: string; writtenAt: { wallMs: number; boot: string } } {
  return JSON.parse(readFileSync(join(path, 'replica.json'), 'utf8')) as never
}

function editKept(path: string, edit: (kept: ReturnType<typeof keptIn>) => object): void {
  const kept = keptIn(path)
  writeFileSync(join(path, 'replica.json'), JSON.stringify({ ...kept, ...edit(kept) }))
}

describe('a process that starts while every distant thing is down', () => {
  it('serves from what the one before has left, at once', async () => {
    const { clients, feed, path, edge } = await synchronized()
    await edge.kill()
    await feed.close()
    const next = await EdgeProcess.start({ path, feedUrl: feed.url })
    expect(next.opened.ready).toBe(true)
    expect(next.opened.openedMs).toBeLessThan(1000)
    expect(await next.outcome(clients.approved)).toBe(200)
    expect(await next.outcome(clients.revoked)).toBe('contract_revoked')
    await until(async () => (await next.status()).lastError?.reason === 'unreachable')
    expect((await next.status()).ready).toBe(true)
  })

  it('waits for the source where it is told to be strict', async () => {
    const { clients, feed, path, edge } = await synchronized()
    await edge.kill()
    const next = await EdgeProcess.start({ path, feedUrl: nowhere, start: 'strict' })
    expect(await next.outcome(clients.approved)).toBe('ERR_CLIENTELE_NOT_READY')
    await next.kill()
    const third = await EdgeProcess.start({ path, feedUrl: feed.url, start: 'strict' })
    await until(async () => (await third.outcome(clients.approved)) === 200)
    await feed.close()
  })

  it('says 503 past maxAgeMs, and goes on when the source is back', async () => {
    const maxAgeMs = 2500
    const { clients, feed, path, edge } = await synchronized({ maxAgeMs })
    await edge.kill()
    await sleep(maxAgeMs)
    const next = await EdgeProcess.start({ path, feedUrl: nowhere, maxAgeMs })
    const answer = await next.get(clients.approved)
    expect(answer).toMatchObject({ status: 503, json: { code: 'ERR_CLIENTELE_STALE' } })
    expect(answer.headers['retry-after']).toBe('1')
    await next.kill()
    const third = await EdgeProcess.start({ path, feedUrl: feed.url, maxAgeMs })
    await until(async () => (await third.outcome(clients.approved)) === 200)
    await feed.close()
  })
})

describe('a clock that is set back', () => {
  const anHourBackMs = -3_600_000

  it('makes a running process take nothing for younger than it is', async () => {
    const { clients, feed, edge } = await synchronized({ maxAgeMs: 2500 })
    await feed.close()
    edge.stepClock(anHourBackMs)
    await until(async () => (await edge.outcome(clients.approved)) === 'ERR_CLIENTELE_STALE')
    expect((await edge.status()).ageMs).toBeLessThan(60_000)
  })

  it('between two processes of one start of the machine: the age goes on', async () => {
    const { clients, feed, path, edge } = await synchronized({ maxAgeMs: 4000 })
    await edge.kill()
    await feed.close()
    const clockStepMs = anHourBackMs
    const next = await EdgeProcess.start({ path, feedUrl: nowhere, maxAgeMs: 3_600_000, clockStepMs })
    const hasBootId = keptIn(path).writtenAt.boot !== ''
    expect(await next.outcome(clients.approved)).toBe(hasBootId ? 200 : 'ERR_CLIENTELE_STALE')
    await next.kill()
    await sleep(4000)
    const third = await EdgeProcess.start({ path, feedUrl: nowhere, maxAgeMs: 4000, clockStepMs: 2 * clockStepMs })
    expect(await third.outcome(clients.approved)).toBe('ERR_CLIENTELE_STALE')
  })

  it('after another start of the machine: nobody knows how old it is, so it is too old', async () => {
    const { clients, feed, path, edge } = await synchronized()
    await edge.kill()
    editKept(path, ({ writtenAt }) => ({ writtenAt: { ...writtenAt, boot: 'another' } }))
    const next = await EdgeProcess.start({ path, feedUrl: nowhere, clockStepMs: anHourBackMs })
    expect(await next.outcome(clients.approved)).toBe('ERR_CLIENTELE_STALE')
    await next.kill()
    const third = await EdgeProcess.start({ path, feedUrl: feed.url, clockStepMs: anHourBackMs })
    await until(async () => (await third.outcome(clients.approved)) === 200)
    await feed.close()
  })
})

describe('an old replica that is copied back', () => {
  it('is as old as it is', async () => {
    const { store, clients, feed, path, edge } = await synchronized({ maxAgeMs: 3000 })
    const copied = `${path}-copied`
    const begunAt = performance.now()
    cpSync(path, copied, { recursive: true })
    await revokeContract(store, { client: clients.approved.id, api: 'orders', actor: 'test' })
    await until(async () => (await edge.outcome(clients.approved)) === 'contract_revoked')
    await edge.kill()
    rmSync(path, { recursive: true })
    renameSync(copied, path)
    await sleep(Math.max(0, 3000 - (performance.now() - begunAt)))
    const next = await EdgeProcess.start({ path, feedUrl: nowhere, maxAgeMs: 3000 })
    expect(await next.outcome(clients.approved)).toBe('ERR_CLIENTELE_STALE')
    await next.kill()
    const third = await EdgeProcess.start({ path, feedUrl: feed.url, maxAgeMs: 3000 })
    await until(async () => (await third.outcome(clients.approved)) === 'contract_revoked')
    await feed.close()
  })

  it('is not believed where only its records are old', async () => {
    const { store, clients, feed, path, edge } = await synchronized()
    const file = join(path, keptIn(path).generation, 'data.mdb')
    cpSync(file, `${path}-data`)
    await revokeContract(store, { client: clients.approved.id, api: 'orders', actor: 'test' })
    await until(async () => (await edge.outcome(clients.approved)) === 'contract_revoked')
    await edge.kill()
    cpSync(`${path}-data`, file)
    const next = await EdgeProcess.start({ path, feedUrl: nowhere })
    expect(await next.outcome(clients.approved)).toBe('ERR_CLIENTELE_NOT_READY')
    await feed.close()
  })
})

describe('a directory', () => {
  it.each([
    ['whose file is cut off', (path: string) => editKept(path, () => ({ epoch: undefined }))],
    [
      'whose records are damaged',
      (path: string) => writeFileSync(join(path, keptIn(path).generation, 'data.mdb'), 'nonsense'.repeat(1000)),
    ],
    ['whose records are gone', (path: string) => rmSync(join(path, keptIn(path).generation), { recursive: true })],
  ])('%s is read anew, and somebody is told', async (_, damage) => {
    const path = ownDirectory()
    const source = await storeWith(...names(3))
    const before = replica({ from: source, into: { path } })
    await until(() => before.ready().ready)
    await before.close()
    damage(path)
    const copy = replica({ from: source, into: { path } })
    expect(copy.ready().ready).toBe(false)
    await until(() => copy.ready().ready)
    expect(copy.ready().records).toBe(9)
    expect(kinds(copy.events)).toContain('discarded')
  })

  it('is readable by its owner alone', async () => {
    const path = ownDirectory()
    const copy = replica({ from: await storeWith('one'), into: { path } })
    await until(() => copy.ready().ready)
    const files = ['.', 'replica.json', keptIn(path).generation, join(keptIn(path).generation, 'data.mdb')]
    for (const file of files) expect([file, statSync(join(path, file)).mode & 0o077]).toEqual([file, 0])
  })

  it('is one process’s: who comes later takes it over, and the one before says so', async () => {
    const path = ownDirectory()
    const source = await storeWith('one')
    const first = replica({ from: source, into: { path } })
    await until(() => first.ready().ready)
    const second = replica({ from: source, into: { path } })
    await source.commit(approved('two'))
    await until(() => first.ready().lastError?.reason === 'second_writer')
    await until(() => second.findContract('two', 'orders') !== undefined)
    expect(second.ready()).toMatchObject({ ready: true, lastError: undefined })
  })

  it('goes on from where the last process was: only what has changed is told', async () => {
    const path = ownDirectory()
    const source = await storeWith(...names(50))
    const feed = await listen(feedOf(source))
    const { sourceAt } = await import('./replica-support.js')
    const before = replica({ from: sourceAt(feed.url), into: { path } })
    await until(() => before.ready().ready)
    await before.close()
    await source.commit(approved('later'))
    const copy = replica({ from: sourceAt(feed.url), into: { path } })
    await until(() => copy.findContract('later', 'orders') !== undefined)
    expect(kinds(copy.events)).toEqual(['updated'])
    expect(copy.ready().records).toBe(153)
    await feed.close()
  })

  it.each([
    ['records of somebody else', 'records-2024'],
    ['records by a name of ours', `records-${'0'.repeat(24)}`],
    ['anything else', 'photos'],
  ])('that holds %s and no replica is left as it is', async (_, name) => {
    const path = ownDirectory()
    mkdirSync(join(path, name), { recursive: true, mode: 0o755 })
    writeFileSync(join(path, name, 'kept.txt'), 'mine')
    const before = statSync(path)
    const source = await storeWith('one')
    expect(() => replica({ from: source, into: { path } })).toThrow(
      expect.objectContaining({
        code: 'ERR_CLIENTELE_STORE',
        reason: 'foreign_directory',
        message: expect.stringMatching(/into\.path.*empty/),
      }),
    )
    expect(readdirSync(path)).toEqual([name])
    expect(readFileSync(join(path, name, 'kept.txt'), 'utf8')).toBe('mine')
    expect({ mode: statSync(path).mode, changedMs: statSync(path).ctimeMs }).toEqual({
      mode: before.mode,
      changedMs: before.ctimeMs,
    })
  })

  it('that is empty, or in which a replica had only begun, is taken', async () => {
    const path = ownDirectory()
    mkdirSync(path)
    writeFileSync(join(path, 'replica.writer.draft'), '')
    const copy = replica({ from: await storeWith('one'), into: { path } })
    await until(() => copy.ready().ready)
  })

  it('loses what a replica of before has left behind, and nothing else', async () => {
    const path = ownDirectory()
    const source = await storeWith('one')
    const before = replica({ from: source, into: { path } })
    await until(() => before.ready().ready)
    await before.close()
    const left = join(path, `records-${'0'.repeat(24)}`)
    const others = ['records-2024', `records-${'0'.repeat(25)}`, 'photos'].map((name) => join(path, name))
    for (const each of [left, ...others]) mkdirSync(each)
    const file = join(path, `records-${'1'.repeat(24)}`)
    writeFileSync(file, 'mine')
    const copy = replica({ from: source, into: { path } })
    await until(() => copy.ready().ready)
    expect(existsSync(left)).toBe(false)
    expect([...others, file].filter((each) => !existsSync(each))).toEqual([])
  })

  it('that cannot be used is named at once', () => {
    const path = ownDirectory()
    writeFileSync(path, 'a file')
    expect(() => replica({ from: memoryStore(), into: { path } })).toThrow(/into\.path/)
  })
})
