import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { answerOf, clientele } from './clientele-process.js'

const directory = mkdtempSync(join(tmpdir(), 'clientele-webhooks-'))
const store = join(directory, 'store')
const environment = { CLIENTELE_SEALING_KEY: randomBytes(32).toString('base64url') }
afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

describe('clientele webhooks', () => {
  it('adds, shows the key once and the path never, rotates, disables, enables and removes', async () => {
    const at = { store, environment }
    const url = 'https://hooks.example.com/services/path-that-is-a-secret'
    const added = await answerOf(at, '--create', 'webhooks', 'add', url, '--event', 'approveContract')
    expect(added).toMatchObject({ to: 'https://hooks.example.com', events: ['approveContract'], state: 'active' })
    expect(added.key).toMatch(/^whsec_/)
    const rotated = await answerOf(at, 'webhooks', 'rotate', added.webhook, '--overlap', '1h')
    expect(rotated.key).not.toBe(added.key)
    expect(await answerOf(at, 'webhooks', 'disable', added.webhook, '--reason', 'noisy')).toMatchObject({
      state: 'disabled',
    })
    await answerOf(at, 'webhooks', 'enable', added.webhook)
    const shown = [
      (await clientele(at, 'webhooks', 'list')).stdout,
      (await clientele(at, '--json', 'webhooks', 'list')).stdout,
      (await clientele(at, '--json', 'deliveries')).stdout,
      (await clientele(at, 'audit', '--json-lines')).stdout,
    ]
    expect(shown.join()).toContain(added.webhook)
    expect(shown.join()).not.toMatch(/whsec_|sealed|path-that-is-a-secret/)
    expect(await answerOf(at, 'deliveries')).toMatchObject([{ name: `webhook/${added.webhook}`, failed: [] }])
    await answerOf(at, 'webhooks', 'remove', added.webhook)
    expect(await answerOf(at, 'deliveries')).toEqual([])
  })

  it('says what is missing: sealing keys, a step that there is, https', async () => {
    const add = ['--create', 'webhooks', 'add', 'https://hooks.example.com/']
    const without = await clientele({ store, environment: { CLIENTELE_SEALING_KEY: '' } }, ...add)
    expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('CLIENTELE_SEALING_KEY')])
    const unknown = await clientele({ store, environment }, ...add, '--event', 'approve')
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('approveContract')])
    const clear = await clientele({ store, environment }, 'webhooks', 'add', 'http://hooks.example.com/')
    expect([clear.code, clear.stderr]).toEqual([2, expect.stringContaining('https:')])
  })
})
