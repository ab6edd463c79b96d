import { Client } from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeWithServer } from '../support/needs.js'
import { ownPlace, type Place } from '../support/servers.js'
import { expectThreeCalls, expectToStop, startPrinting, type Printed } from './printed-commands.js'
import { paste } from './running-example.js'

const suite = await describeWithServer('postgres')

suite('the example of a reader of one’s own', () => {
  let place: Place
  let started: Printed
  let line: string

  beforeEach(async () => {
    place = await ownPlace('postgres')
    started = await startPrinting('own-reader/app.ts', 1, { POSTGRES_URL: place.url })
    line = started.commands[0] ?? ''
  })
  afterEach(async () => {
    await started.example.stop('SIGKILL')
    await place.remove()
  })

  async function change(sql: string): Promise<void> {
    const client = new Client({ connectionString: place.url })
    await client.connect()
    await client.query(sql)
    await client.end()
  }

  it('lets in who stands in the table, at the pace of his plan', async () => {
    await expectThreeCalls(line)
    await change("update shops set plan = 'pro'")
    expect(await paste(line)).toContain('{"hello":"Acme","tier":"pro","left":996}')
    await expectToStop(started)
  })

  it('lets nobody in by a wrong secret, by an ID in other letters, or when blocked', async () => {
    const refused = [line.replace(/client_secret: ./, '$&x'), line.replace('acme-', 'ACME-')]
    for (const each of refused) expect(await paste(each)).toContain('"code":"client_invalid"')
    expect(await paste(line)).toContain(' 200 OK')
    await change('update shops set blocked = true')
    expect(await paste(line)).toContain('"code":"client_invalid"')
  })

  it('answers 503 while the table is gone', async () => {
    await change('alter table shops rename to elsewhere')
    expect(await paste(line)).toMatch(/^HTTP\/1\.1 503 [^]*"code":"ERR_CLIENTELE_STORE"/m)
  })
})
