import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Consumer } from './support/consumer.js'

describe('the command', () => {
  let consumer: Consumer
  beforeAll(async () => {
    consumer = await Consumer.make({})
  })
  afterAll(() => {
    consumer.remove()
  })

  it('is named in package.json, and begins as a program does', () => {
    const { bin } = JSON.parse(readFileSync(join(consumer.package, 'package.json'), 'utf8'))
    expect(bin).toEqual({ clientele: 'dist/cli.js' })
    expect(readFileSync(join(consumer.package, bin.clientele), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
    accessSync(join(consumer.package, bin.clientele), constants.R_OK)
  })

  it('works on a disk store where the package is installed', async () => {
    const command = (...parameters: readonly string[]) =>
      consumer.node('node_modules/clientele/dist/cli.js', '--store', './data', ...parameters)
    await command('--create', 'clients', 'register', '--name', 'Shop', '--client-id', 'shop')
    expect(JSON.parse((await command('clients', 'list', '--json')).stdout)).toMatchObject([{ name: 'Shop' }])
    expect((await command('--help')).stdout).toContain('Exit codes:')
  })

  it('checks an imported bcrypt hash with the package that it brings along', async () => {
    const hash = '$2b$04$GGcR1Gv0uPVBrOgZbLjLo.kFnlrtUtZfTYCbcDDEqBHjMJ8VoXyga'
    consumer.write('keys.csv', `client_id,secret_hash,api\nold,"${hash}",orders\n`)
    const cli = ['node_modules/clientele/dist/cli.js', '--store', './data']
    const { stdout } = await consumer.node(...cli, '--json', 'import', 'keys.csv', '--format', 'csv')
    expect(JSON.parse(stdout)).toMatchObject({ clients: 1, secrets: 1 })
  })
})
