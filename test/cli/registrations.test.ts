import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { initialAccessToken, startOidcProvider, type OidcServer } from '../support/oidc-provider.js'
import { answerOf, clientele } from './clientele-process.js'

const directory = mkdtempSync(join(tmpdir(), 'clientele-registrations-'))
let server: OidcServer
beforeAll(async () => {
  server = await startOidcProvider([])
})
afterAll(async () => {
  await server.close()
  rmSync(directory, { recursive: true, force: true })
})

it('registers, lists and removes at a provider of a file, and shows no token', async () => {
  const file = join(directory, 'clientele.yaml')
  writeFileSync(
    file,
    `providers:\n  - name: idp\n    issuer: ${server.issuer}\n    tokenFrom: IDP_TOKEN\n    allowInsecureRequests: true\n`,
  )
  const environment = { IDP_TOKEN: initialAccessToken, CLIENTELE_SEALING_KEY: randomBytes(32).toString('hex') }
  const at = { store: join(directory, 'store'), environment }
  const there = ['--provider', 'idp', '--file', file]
  const made = await answerOf(at, '--create', 'registrations', 'register', ...there, '--name', 'Shop', '--owner', 'bob')
  expect(made).toMatchObject({ clientId: expect.any(String) as string, clientSecret: expect.any(String) as string })

  const shown = await clientele(at, '--json', 'registrations', 'list')
  expect(JSON.parse(shown.stdout)).toMatchObject([{ provider: 'idp', state: 'active', metadata: { name: 'Shop' } }])
  expect(shown.stdout).not.toContain('sealedToken')
  await answerOf(at, 'registrations', 'remove', made.clientId, ...there)
  expect(await answerOf(at, 'registrations', 'list')).toEqual([])
}, 60_000)
