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

it('registers, lists, updates, rotates, imports and removes at a provider of a file, and shows no token', async () => {
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
  const update = ['registrations', 'update', made.clientId, ...there, '--name', 'Web shop']
  expect(await answerOf(at, ...update)).toMatchObject({ clientId: made.clientId, name: 'Web shop', state: 'active' })
  const other = await answerOf(at, 'registrations', 'rotate', made.clientId, ...there)
  expect(other.clientId).not.toBe(made.clientId)
  const byHand = await registeredByHand(server.issuer)
  await answerOf(at, 'registrations', 'import', byHand, ...there, '--name', 'By hand')
  const all: { readonly id: string; readonly clientId: string }[] = await answerOf(at, 'registrations', 'list')
  expect(all.map(({ clientId }) => clientId).sort()).toEqual([other.clientId, byHand].sort())
  await answerOf(at, 'registrations', 'repair', all[0]!.id, ...there)
  expect(await answerOf(at, 'registrations', 'list', '--unfinished')).toEqual([])

  await answerOf(at, 'registrations', 'remove', other.clientId, ...there)
  await answerOf(at, 'registrations', 'remove', byHand, ...there, '--at-issuer', 'leave')
  expect(await answerOf(at, 'registrations', 'list')).toEqual([])
}, 60_000)

async function registeredByHand(issuer: string): Promise<string> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${initialAccessToken}` }
  const body = JSON.stringify({ grant_types: ['client_credentials'], response_types: [], redirect_uris: [] })
  const answer = await fetch(`${issuer}/reg`, { method: 'POST', headers, body })
  const { client_id: clientId } = (await answer.json()) as { client_id: string }
  return clientId
}
