import KeyvMysql from '@keyv/mysql'
import KeyvPostgres from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { basicAuth, registerClient, requestContract, type ContractStore } from 'clientele'
import { clientele } from 'clientele/express'
import { keyvStore } from 'clientele/keyv'
import express from 'express'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call } from '../support/call.js'
import { listen, type Running } from '../support/frameworks.js'
import { describeWithServer } from '../support/needs.js'
import { ownPlace, type Place, type Server } from '../support/servers.js'
import { describeEachMajor } from './keyv-majors.js'

const actor = 'test'
const longest = 'a'.repeat(255)

/** What a loose database takes for a name: by case, by a byte more or less, cut off at its end. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  acme: ['ACME', 'Acme', 'acme.', 'acm', 'acme-'],
  [longest]: [longest.slice(1), `${longest.slice(1)}b`, `b${longest.slice(1)}`, longest.toUpperCase()],
}
/** By accent, by white space, longer than any: these are no names at all. */
const noNames = ['acm\u00e9', 'acme ', ' acme', 'acme\u0301', `${longest}a`]

const adapterOn: Readonly<Record<Server, (place: Place) => object>> = {
  redis: ({ url }) => new KeyvRedis(url),
  postgres: ({ url }) => new KeyvPostgres({ uri: url }),
  mysql: ({ url }) => new KeyvMysql({ uri: url }),
}

for (const server of ['redis', 'postgres', 'mysql'] as const) {
  const suite = await describeWithServer(server)
  suite(`names of clients on ${server}`, () => {
    describeEachMajor('through keyvStore', (Keyv) => {
      let place: Place
      let store: ContractStore
      let running: Running
      beforeAll(async () => {
        place = await ownPlace(server)
        store = keyvStore(new Keyv({ store: adapterOn[server](place), namespace: place.prefix }), { soleWriter: true })
        const { enforceClientId } = clientele({ api: 'orders', store })
        const app = express()
        app.get('/', enforceClientId({ from: [basicAuth()] }), (req, res) => void res.json(req.clientele?.client?.name))
        running = await listen(app)
      })
      afterAll(async () => {
        await running.close()
        await store.close?.()
        await place.remove()
      })

      const statusOf = async (id: string, secret: string) => {
        const credentials = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
        return (await call(running.url, { headers: [['Authorization', credentials]] })).status
      }

      it.each([
        ['acme', 'acme'],
        ['the longest one', longest],
      ])('let nobody in under one that is almost %s, and register it apart', async (_, id) => {
        const { client, clientSecret } = await registerClient(store, { name: 'owner', clientId: id, actor })
        await requestContract(store, { client: client.id, api: 'orders', actor })
        expect(await statusOf(id, clientSecret)).toBe(200)
        for (const alias of aliases[id]!) {
          expect([alias, await statusOf(alias, clientSecret)]).toEqual([alias, 401])
          await registerClient(store, { name: 'alias', clientId: alias, actor })
          expect([alias, await statusOf(alias, clientSecret)]).toEqual([alias, 401])
        }
        for (const name of noNames) {
          expect([name, await statusOf(name, clientSecret)]).toEqual([name, 401])
          const registering = registerClient(store, { name: 'none', clientId: name, actor })
          await expect(registering, name).rejects.toMatchObject({ code: 'ERR_CLIENTELE_INVALID' })
        }
        expect(await store.findClient({ issuer: 'local', clientId: id })).toEqual(client)
        expect(await statusOf(id, clientSecret)).toBe(200)
      })
    })
  })
}
