import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { describeWithProgram } from '../support/needs.js'
import { expectThreeCalls, expectToStop, startPrinting, type Printed } from './printed-commands.js'
import { paste, RunningExample } from './running-example.js'
import { RedisProcess } from '../support/redis-process.js'

describeWithProgram('curl', '--version')('a small example', () => {
  let started: Printed | undefined

  afterEach(async () => {
    await started?.example.stop('SIGKILL')
  })

  async function start(
    script: string,
    lines: number,
    environment: Record<string, string> = {},
  ): Promise<readonly string[]> {
    started = await startPrinting(script, lines, environment)
    expect(started.commands).toHaveLength(lines)
    return started.commands
  }
  async function expectStop(): Promise<void> {
    if (started === undefined) throw new Error('nothing was started')
    await expectToStop(started)
  }

  it.each(['express.ts', 'koa.ts'])('%s counts to a 429', async (script) => {
    const [line = ''] = await start(script, 1)
    await expectThreeCalls(line)
    expect(await paste(line.replace(/ -u .*/, ''))).toContain(' 401 Unauthorized')
    await expectStop()
  })

  it('several-apis.ts has contracts and counts per API', async () => {
    const [orders = '', reports = '', ordersOfOther = '', reportsOfOther = ''] = await start('several-apis.ts', 4)
    for (const left of [1, 0]) expect(await paste(reports)).toContain(`{"reports":[],"for":"Both","left":${left}}`)
    expect(await paste(reports)).toContain(' 429 ')
    expect(await paste(orders)).toContain('{"orders":[],"for":"Both","left":99}')
    expect(await paste(ordersOfOther)).toContain('{"orders":[],"for":"Orders alone","left":99}')
    expect(await paste(reportsOfOther)).toMatch(/^HTTP\/1\.1 403 [^]*"code":"contract_missing"/m)
    await expectStop()
  })

  it('openid-provider.ts takes a JWT and an opaque token, each where it belongs', async () => {
    const [jwt = '', opaque = ''] = await start('openid-provider.ts', 2)
    expect(await paste(jwt)).toContain('{"orders":[],"for":"web shop","scopes":["orders:read"],"left":99}')
    expect(await paste(opaque)).toMatch(/"for":"web shop","until":\d{10},"left":98\}$/)
    expect(await paste(jwt.replace('/orders -H', '/reports -H'))).toMatch(/^HTTP\/1\.1 401 [^]*"token_invalid"/m)
    expect(await paste(opaque.replace('/reports -H', '/orders -H'))).toMatch(/^HTTP\/1\.1 401 [^]*"token_invalid"/m)
    expect(await paste(jwt.replace('"Authorization: Bearer $TOKEN"', 'x:y'))).toContain('"code":"token_missing"')
    await expectStop()
  })

  describeWithProgram('redis-server', '--version')('on Redis', () => {
    it('keyv-redis.ts counts to a 429, and says 503 while Redis is gone', async () => {
      const redis = await RedisProcess.start()
      try {
        const environment = { REDIS_URL: redis.url }
        const [line = ''] = await start('keyv-redis.ts', 1, environment)
        await expectThreeCalls(line)
        await redis.kill()
        expect(await paste(line)).toContain(' 503 Service Unavailable')
        expect(await paste(line.replace(/-u .*/, '-u nobody:wrong'))).toContain(' 503 Service Unavailable')
        await started?.example.stop('SIGKILL')
        await redis.startAgain()
        for (let round = 0; round < 2; round += 1) {
          const [again = ''] = await start('keyv-redis.ts', 1, environment)
          await expectThreeCalls(again)
          await expectStop()
        }
      } finally {
        await redis.kill()
      }
    })
  })

  it('behind-a-proxy.ts lets an address guess three times', async () => {
    const [good = '', guess = ''] = await start('behind-a-proxy.ts', 2)
    for (let index = 0; index < 5; index += 1) expect(await paste(good)).toContain('{"hello":"Acme"}')
    for (let index = 0; index < 3; index += 1) expect(await paste(guess)).toContain(' 401 Unauthorized')
    for (const command of [guess, guess.replace('203.0.113.7', '203.0.113.8'), good]) {
      const answer = await paste(command)
      expect(answer).toContain(' 429 Too Many Requests')
      expect(answer).toMatch(/^retry-after: \d+/im)
      expect(answer).toContain('"violated-policies":["address"]')
    }
    await expectStop()
  })
})

describe('the example of tests', () => {
  it('passes its own tests, and they are four', async () => {
    // Nodes differ in how they report to what is no terminal.
    const { code, stdout } = await RunningExample.run('testing/api.test.ts', {})
    expect({ code, passed: /^[#ℹ] pass (\d+)$/m.exec(stdout)?.[1] }).toEqual({ code: 0, passed: '4' })
  })
})

describe('examples/README.md', () => {
  it('lists every example, with the command that runs it', () => {
    const text = readFileSync('examples/README.md', 'utf8')
    const examples = readdirSync('examples').filter((name) => name !== 'README.md')
    expect(examples.filter((name) => !text.includes(`(${name}`))).toEqual([])
    const commands = [...text.matchAll(/examples\/(\S+\.ts)/g)].map(([, script = '']) => script)
    expect(commands.filter((script) => !readFileSync(`examples/${script}`, 'utf8').includes(script))).toEqual([])
  })
})
