import { afterAll, beforeAll, expect, it } from 'vitest'
import { memoryStore, requestContract } from 'clientele'
import { oidcProvider } from 'clientele/providers'
import { validateJwt } from '../../src/policies/validate-jwt.js'
import { tokenEngines } from '../../src/tokens/engines.js'
import { checkedReader } from '../../src/contracts/reader.js'
import { decideOn } from '../support/bearer-request.js'
import { startGlewlwyd, type GlewlwydServer } from '../support/glewlwyd.js'
import { describeWithGlewlwyd } from '../support/needs.js'
import { contextOf, ownReader } from '../support/own-reader.js'
import { actor, worldOf } from './world.js'

describeWithGlewlwyd()('registration at glewlwyd, which answers 200 where others answer 201 and 204', () => {
  let server: GlewlwydServer
  beforeAll(async () => {
    server = await startGlewlwyd([])
  })
  afterAll(() => server.close())

  it('registers, calls, updates and removes', async () => {
    const store = memoryStore()
    const { issuer, registrationUrl } = server.rs256
    const provider = oidcProvider({
      name: 'idp',
      issuer,
      profile: 'glewlwyd',
      registrationEndpoint: registrationUrl,
      authorization: { token: await server.rs256.registrationToken() },
      allowInsecureRequests: true,
    })
    const { registrations } = worldOf(provider, { store })
    const bare = registrations.register({ actor, metadata: { name: 'Shop' } })
    await expect(bare).rejects.toMatchObject({ message: expect.stringContaining('redirect') as string })
    const metadata = {
      name: 'Shop',
      redirectUris: ['https://shop.example/back'],
      grantTypes: ['client_credentials'],
    }
    const made = await registrations.register({ actor, owner: 'shop team', metadata })
    await requestContract(store, { client: made.client.id, api: 'orders', actor })

    const context = {
      ...contextOf(ownReader()),
      reader: checkedReader(store, { timeoutMs: 1000 }),
      tokens: tokenEngines(() => undefined),
    }
    const guard = validateJwt(context, { issuer, audience: 'orders:read', allowInsecureRequests: true })
    const { clientId, clientSecret = '' } = made
    const token = await server.rs256.accessToken({ clientId, clientSecret }, 'orders:read')
    expect(await decideOn(guard, token)).toBe('admitted')

    const which = { client: made.client.id, actor }
    const updated = await registrations.update({ ...which, changes: { name: 'Web shop' } })
    expect([updated.client.name, updated.registration.state]).toEqual(['Web shop', 'active'])
    await registrations.remove(which)
    expect(await decideOn(guard, token)).toBe('client_unnamed')
    await expect(server.rs256.accessToken({ clientId, clientSecret }, 'orders:read')).rejects.toThrow()
    expect((await store.list({ kind: 'registration' })).records).toEqual([])
  })
})
