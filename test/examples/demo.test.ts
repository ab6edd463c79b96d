import { once } from 'node:events'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { approveContract } from 'clientele'
import { diskStore } from 'clientele/disk'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { DemoError, readSettings } from '../../examples/demo/settings.js'
import { describeWithProgram } from '../support/needs.js'
import { demoFile, expectAnswers, lineOf, printedLines, startDemo, temporaryFolder } from './demo-process.js'
import { freePort, paste, RunningExample } from './running-example.js'

const announced = [
  '200 "hello":"Acme Storefront"',
  '200 "hello":"Acme Storefront"',
  '200 "hello":"Acme Storefront"',
  '200 "received":["item","client_id"]',
  '200 "received":["item","client_id"]',
  '200 "authenticated":false',
  '201 "ordered":"tea"',
  '200 "by":"token"',
  '200 "by":"client ID"',
  '401 credentials_missing',
  '401 client_invalid',
  '401 client_invalid',
  '403 contract_pending',
  '403 contract_rejected',
  '403 contract_revoked',
  '403 scope_insufficient',
  '200 200 200 200 200 429 429',
]

describeWithProgram('curl', '--version')('the demo, started for the first time', () => {
  let dataFolder: string
  let port: number
  let demo: RunningExample

  beforeAll(async () => {
    dataFolder = await temporaryFolder()
    port = await freePort()
    demo = await startDemo(dataFolder, port)
  })
  afterAll(async () => {
    await demo.stop('SIGKILL')
    await rm(dataFolder, { recursive: true })
  })

  it('prints lines that bring back what it says they will', async () => {
    expect(printedLines(demo).map(({ answer }) => answer)).toEqual(announced)
    await expectAnswers(demo)
  })

  it('speaks plainly: no warnings, no colour codes where nobody sees colours, and of itself alone', async () => {
    expect(demo.stderr).toBe('')
    expect(demo.stdout).not.toContain('\u001b')
    expect(demo.stdout).not.toContain('oidc-provider')
    expect(demo.stdout).toMatch(
      /^ {2}POST {2}\/orders {5}JWT with the scope orders:write; costs 5 .*validateJwt, limitBySla$/m,
    )
    expect(demo.stdout).toMatch(/^ {2}Fox Logistics {5}gold {3}revoked$/m)
  })

  it('writes what scripts need into demo.json, for its owner alone', async () => {
    const { clients, ...rest } = await demoFile(dataFolder)
    expect(rest).toEqual({
      url: `http://127.0.0.1:${port}`,
      issuer: `http://127.0.0.1:${port + 1}`,
      tokenUrl: `http://127.0.0.1:${port + 1}/token`,
      routes: [
        { method: 'GET', path: '/health', policies: [] },
        { method: 'GET', path: '/orders', policies: ['enforceClientId', 'limitBySla'] },
        { method: 'POST', path: '/orders', policies: ['validateJwt', 'limitBySla'] },
        { method: 'POST', path: '/quotes', policies: ['enforceClientId', 'limitBySla'] },
        { method: 'GET', path: '/reports', policies: ['anyOf(introspectToken, enforceClientId)', 'limitBySla'] },
        { method: 'GET', path: '/catalogue', policies: ['enforceClientId', 'limitBySla'] },
      ],
    })
    expect(clients.map(({ name, tier, state }) => [name, tier, state])).toEqual([
      ['Acme Storefront', 'gold', 'approved'],
      ['Bolt Couriers', 'trial', 'approved'],
      ['Corner Kiosk App', 'trial', 'approved'],
      ['Delta Analytics', 'gold', 'pending'],
      ['Echo Resale', 'gold', 'rejected'],
      ['Fox Logistics', 'gold', 'revoked'],
      ['Gull Insurance', 'trial', 'disabled'],
    ])
    for (const { name, clientId, clientSecret } of clients) {
      expect(clientId, name).toMatch(/^[A-Za-z0-9._~:/@-]+$/)
      if (name === 'Corner Kiosk App') expect(clientSecret).toBeNull()
      else expect(clientSecret, name).toMatch(/^[\x21-\x7e]{32,}$/)
    }
    expect((await readdir(dataFolder)).filter((name) => name.endsWith('.draft'))).toEqual([])
    for (const name of ['demo.json', 'issuer-keys.json']) {
      expect((await stat(join(dataFolder, name))).mode & 0o777, name).toBe(0o600)
    }
  })
})

describeWithProgram('curl', '--version')('the demo, started again', () => {
  let dataFolder: string
  let running: RunningExample[]

  beforeEach(async () => {
    dataFolder = await temporaryFolder()
    running = []
  })
  afterEach(async () => {
    await Promise.all(running.map((demo) => demo.stop('SIGKILL')))
    await rm(dataFolder, { recursive: true })
  })

  async function start(port: number): Promise<RunningExample> {
    const demo = await startDemo(dataFolder, port)
    running.push(demo)
    return demo
  }

  it('keeps data, credentials and tokens over a restart', async () => {
    const port = await freePort()
    const first = await start(port)
    const before = await demoFile(dataFolder)
    const order = lineOf(first, 'a JWT of the provider')
    const printed = await paste(`${order.command.split(';')[0]}; echo "$TOKEN"`)
    expect((await first.stop()).code).toBe(0)

    const second = await start(port)
    expect(await demoFile(dataFolder)).toEqual(before)
    expect(await paste(order.command.replace(/^TOKEN=\$\(.*?\);/, `TOKEN=${printed.trim()};`))).toContain(
      ' 201 Created',
    )
    await expectAnswers(second)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends on %s with 0 and in time, whoever is still connected',
    async (signal) => {
      const port = await freePort()
      const demo = await start(port)
      const idle = connect(port, '127.0.0.1')
      await once(idle, 'connect')
      idle.on('error', () => undefined)
      await paste(lineOf(demo, 'an opaque token').command)
      const { code, tookMs, stderr } = await demo.stop(signal)
      idle.destroy()
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(tookMs).toBeLessThan(3000)
    },
  )

  it('goes on with new secrets when demo.json is lost or spoilt', async () => {
    const port = await freePort()
    let demo = await start(port)
    const path = join(dataFolder, 'demo.json')
    for (const spoil of [() => rm(path), () => writeFile(path, '{"clients": [{'), () => writeFile(path, '[null]')]) {
      const { clients: before } = await demoFile(dataFolder)
      const { command } = lineOf(demo, 'ID and secret in headers')
      await demo.stop()
      await spoil()
      demo = await start(port)
      const { clients: after } = await demoFile(dataFolder)
      expect(after.map(({ clientId }) => clientId)).toEqual(before.map(({ clientId }) => clientId))
      expect(after[0]?.clientSecret).not.toBe(before[0]?.clientSecret)
      expect(await paste(command)).toContain('client_invalid')
    }
    await expectAnswers(demo)
  })

  it('follows its provider to another port', async () => {
    const first = await start(await freePort())
    const before = await demoFile(dataFolder)
    await first.stop()
    const second = await start(await freePort())
    const after = await demoFile(dataFolder)
    expect(after.issuer).not.toBe(before.issuer)
    expect(after.clients).toEqual(before.clients)
    await expectAnswers(second)
  })

  it('leaves as it is what people have changed, and says what comes of it', async () => {
    const port = await freePort()
    const first = await start(port)
    const { clients } = await demoFile(dataFolder)
    await first.stop()
    const store = diskStore({ path: dataFolder })
    const delta = clients.find(({ name }) => name === 'Delta Analytics')
    const client = await store.findClient({ issuer: 'local', clientId: delta?.clientId ?? '' })
    await approveContract(store, { client: client?.id ?? '', api: 'orders', actor: 'somebody' })
    await store.close()

    const second = await start(port)
    expect(lineOf(second, 'a pending contract').answer).toBe('200 "hello"')
    await expectAnswers(second)
  })

  it('says in one line which port is taken, and leaves the data alone', async () => {
    // The second of two that were free: whoever takes the first meanwhile would be named in its place.
    const port = (await freePort()) + 1
    const other = createServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    const asApi = await RunningExample.run('demo/main.ts', { DATA_DIR: dataFolder, PORT: String(port) })
    const asIssuer = await RunningExample.run('demo/main.ts', { DATA_DIR: dataFolder, PORT: String(port - 1) })
    other.close()
    for (const { code, stdout, stderr } of [asApi, asIssuer]) {
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(new RegExp(`^Port ${port} is taken\\. .*PORT=4000 npm start\n$`))
    }
    expect(await readdir(dataFolder)).toEqual([])
  })

  it('says in one line that DATA_DIR is no folder, and leaves alone what is there', async () => {
    const file = join(dataFolder, 'file')
    await writeFile(file, 'somebody else’s')
    for (const DATA_DIR of [file, join(file, 'below')]) {
      const { code, stdout, stderr } = await RunningExample.run('demo/main.ts', {
        DATA_DIR,
        PORT: String(await freePort()),
      })
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toBe(`DATA_DIR must be a folder of your own, or one that can be made: ${DATA_DIR} is not.\n`)
    }
    expect(await readFile(file, 'utf8')).toBe('somebody else’s')
  })

  it('refuses a PORT that is none in one line', async () => {
    const { code, stderr } = await RunningExample.run('demo/main.ts', { DATA_DIR: dataFolder, PORT: '0' })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^PORT must be a whole number from 1 to 65534.*\n$/)
    for (const PORT of ['65535', 'http', '3000.5', '-1']) expect(() => readSettings({ PORT }), PORT).toThrow(DemoError)
    expect(readSettings({ PORT: '' })).toMatchObject({ port: 3000, issuerPort: 3001, issuer: 'http://127.0.0.1:3001' })
  })
})
