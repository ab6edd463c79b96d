import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { readAuditLog, registerClient, type ContractStore } from 'clientele'
import { diskStore } from 'clientele/disk'
import { redisStore } from 'clientele/redis'
import { createClient } from 'redis'
import { describe } from 'vitest'
import { describeWithServer } from '../support/needs.js'
import { ownPlace } from '../support/servers.js'
import { answerOf, clientele } from './clientele-process.js'

const directory = mkdtempSync(join(tmpdir(), 'clientele-cli-'))
let made = 0
const newPath = (): string => join(directory, `store${String(++made)}`)

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

interface Opened {
  /** As `--store` takes it. */
  readonly location: string
  readonly store: ContractStore
  close(): Promise<void>
}

async function onDisk(): Promise<Opened> {
  const location = newPath()
  const store = diskStore({ path: location })
  return { location, store, close: () => store.close() }
}

async function onRedis(): Promise<Opened> {
  const place = await ownPlace('redis')
  const client = createClient({ url: place.url })
  await client.connect()
  const store = redisStore(client, { prefix: place.prefix })
  const close = async () => {
    await store.close()
    client.destroy()
    await place.remove()
  }
  return { location: `${place.url}?prefix=${place.prefix}`, store, close }
}

/** Somebody else who registers clients on the same store all the while. */
function loaded(store: ContractStore): () => Promise<number> {
  let [isOver, count] = [false, 0]
  const work = (async () => {
    for (; !isOver; count++) {
      await registerClient(store, { name: `load ${String(count)}`, actor: 'load' })
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  return async () => {
    isOver = true
    await work
    return count
  }
}

/** From "may I?" to "no more", with a process for each step, while another process works on the store. */
async function walk({ location, store }: Opened): Promise<void> {
  const stop = loaded(store)
  const at = { store: location }
  const tier = ['tiers', 'define', '--api', 'orders', '--name', 'gold', '--approval', 'manual', '--limit', '100/60s']
  expect(await answerOf(at, ...tier, '5000/1d')).toMatchObject({
    limits: [{}, { requests: 5000, windowSeconds: 86_400 }],
  })
  const { client, clientId, clientSecret } = await answerOf(
    at,
    'clients',
    'register',
    '--name',
    'Shop',
    '--owner',
    'bob',
  )
  expect(clientSecret).toMatch(/^cls_/)
  const asked = await answerOf(
    at,
    'contracts',
    'request',
    clientId,
    '--api',
    'orders',
    '--tier',
    'gold',
    '--reason',
    'please',
  )
  expect(asked).toMatchObject({ client, state: 'pending', reason: 'please', requestedBy: 'ann' })
  const approve = ['contracts', 'approve', clientId, '--api', 'orders']
  expect(await clientele(at, ...approve)).toMatchObject({ code: 4, stdout: '' })
  expect(await clientele(at, ...approve, '--actor', 'dan', '--seen', '1')).toMatchObject({ code: 5 })
  const approved = await answerOf(at, ...approve, '--actor', 'dan', '--seen', String(asked.version))
  expect(approved).toMatchObject({ state: 'approved' })
  expect(await answerOf(at, 'contracts', 'list', '--client', clientId)).toMatchObject([{ state: 'approved' }])
  const rotated = await answerOf(at, 'secrets', 'rotate', clientId, '--overlap', '7d')
  expect(rotated.clientSecret).not.toBe(clientSecret)
  const secrets = await answerOf(at, 'secrets', 'list', clientId)
  expect(secrets).toHaveLength(2)
  await answerOf(at, 'secrets', 'end', clientId, secrets[0].id)
  await answerOf(at, 'contracts', 'revoke', clientId, '--api', 'orders')
  await answerOf(at, 'contracts', 'restore', clientId, '--api', 'orders')
  await answerOf(at, 'clients', 'disable', clientId)
  const doctor = await answerOf(at, 'doctor')
  expect(doctor.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([])
  const own = await answerOf(at, 'audit', '--client', client)
  const steps = ['registerClient', 'requestContract', 'approveContract', 'rotateSecret', 'endSecret', 'revokeContract']
  expect(own.map(({ step }: { step: string }) => step)).toEqual([...steps, 'restoreContract', 'disableClient'])
  await answerOf(at, 'clients', 'remove', clientId)
  expect(await stop()).toBeGreaterThan(10)
  let last = ''
  for await (const { entry } of readAuditLog(store)) last = entry
  expect(Number(last)).toBeGreaterThan(20)
  expect(await store.find('client', { id: client })).toBeUndefined()
}

describe('on a disk store under load', () => {
  it('each command does its step', { timeout: 120_000 }, async () => {
    const opened = await onDisk()
    await walk(opened).finally(() => opened.close())
  })
})

const withRedis = await describeWithServer('redis')
withRedis('on Redis under load', () => {
  it('each command does its step', { timeout: 120_000 }, async () => {
    const opened = await onRedis()
    await walk(opened).finally(() => opened.close())
  })
})

describe('a secret', () => {
  it('is taken from standard input or a file, never from the command line, and not shown again', async () => {
    const { location, store, close } = await onDisk()
    const file = join(directory, 'secret.txt')
    writeFileSync(file, 'from a file\n')
    const register = ['clients', 'register', '--name', 'Old']
    const [first, second, third] = await Promise.all([
      clientele({ store: location, input: 'correct horse\n' }, ...register, '--client-id', 'a', '--secret-stdin'),
      clientele({ store: location }, ...register, '--client-id', 'b', '--secret-file', file),
      clientele({ store: location }, ...register, '--client-id', 'c', '--secret', 'correct horse'),
    ])
    expect([first.code, second.code, third.code]).toEqual([0, 0, 2])
    for (const { stdout, stderr } of [first, second]) {
      expect(stdout + stderr).not.toMatch(/correct horse|from a file|clientSecret/)
    }
    expect(
      (await store.list<'client'>({ kind: 'client' })).records.map(({ secrets }) => secrets[0]?.algorithm),
    ).toEqual(['scrypt', 'scrypt'])
    await close()
  })

  it('in a URL on the command line is refused, and one that fails to connect does not come out', async () => {
    const url = 'redis://user:s3cr3t@127.0.0.1:1'
    const inQuery = 'postgres://user@127.0.0.1:1/db?password=s3cr3t'
    const [argument, query, environment] = await Promise.all([
      clientele({}, '--store', url, 'clients', 'list'),
      clientele({}, '--store', inQuery, 'clients', 'list'),
      clientele({ store: url }, 'clients', 'list'),
    ])
    expect([argument.code, query.code]).toEqual([2, 2])
    const misspelt = await clientele({ store: url }, 'contracts', 'list', '--state', 'pendin')
    expect(misspelt).toMatchObject({ code: 2, stdout: '' })
    // It ends, though there is a server that it could have connected to.
    const badPrefix = 'redis://127.0.0.1:6379?prefix=a%20b'
    expect((await clientele({ store: badPrefix }, 'tiers', 'list')).code).toBe(2)
    expect(environment.code).toBe(6)
    for (const { stdout, stderr } of [argument, query, environment]) expect(stdout + stderr).not.toContain('s3cr3t')
  })
})

const evil = `a\u001b]0;owned\u0007\u001b[2J\u202eb\u009b31m\n=c`

describe('what people registered', () => {
  it('writes to no terminal and into no spreadsheet', { timeout: 60_000 }, async () => {
    const { location, store, close } = await onDisk()
    const formula = '=HYPERLINK("http://x")'
    await registerClient(store, { name: evil, owner: formula, actor: evil })
    const at = { store: location }
    const runs = [['clients', 'list'], ['clients', 'list', '--json'], ['audit'], ['audit', '--json-lines']]
    const exported = ['export', 'clients', '--format', 'csv']
    const outputs = await Promise.all([...runs, exported].map((run) => clientele(at, ...run)))
    for (const { stdout, code } of outputs) {
      expect(code).toBe(0)
      expect(stdout).toContain('owned')
      // eslint-disable-next-line no-control-regex -- these are what is looked for
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e]/)
    }
    expect(JSON.parse(outputs[1]!.stdout)[0].name).toBe(evil)
    expect(outputs[4]!.stdout).toContain(`"'=HYPERLINK(""http://x"")"`)
    await close()
  })
})

describe('a command line that is wrong', () => {
  it('ends with a code that says how, and changes nothing', { timeout: 60_000 }, async () => {
    const path = newPath()
    const runs = [
      { parameters: ['clients', 'lst'], code: 2 },
      { parameters: ['--store', path, 'clients', 'list'], code: 3 },
      { parameters: ['clients', 'list'], code: 2 },
      { parameters: ['--store', 'ftp://x', 'clients', 'list'], code: 2 },
      { parameters: ['--store', join(directory, 'no.config.js'), 'clients', 'list'], code: 2 },
      { parameters: ['--help'], code: 0 },
    ]
    const ends = await Promise.all(runs.map(({ parameters }) => clientele({}, ...parameters)))
    expect(ends.map(({ code }) => code)).toEqual(runs.map(({ code }) => code))
    expect(ends[1]!.stderr).toContain('--create')
  })
})

describe('a config file', () => {
  it('gives its store', async () => {
    const file = join(directory, 'own.config.ts')
    const path = newPath()
    const sources = new URL('../../src/disk.ts', import.meta.url).href
    writeFileSync(
      file,
      `import { diskStore } from '${sources}'\nexport const store = diskStore({ path: ${JSON.stringify(path)} })\n`,
    )
    await answerOf({ store: file }, 'clients', 'register', '--name', 'Shop')
    expect(await answerOf({ store: path }, 'clients', 'list')).toMatchObject([{ name: 'Shop' }])
  })
})
