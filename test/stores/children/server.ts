// An API that somebody runs: prints its port, and answers with the client and tier it has admitted.
import express from 'express'
import type { AddressInfo } from 'node:net'
import { clientele } from '../../../src/adapters/express.js'
import { cachedStore, type CachedStoreOptions } from '../../../src/stores/cached.js'
import { openStore, type StorePlace } from './open-store.js'

interface Settings {
  readonly place: StorePlace
  /** Without it the store is asked at each request. */
  readonly cache?: CachedStoreOptions
  /** As a store of one's own has none. */
  readonly watch: boolean
}

const { place, cache, watch } = JSON.parse(process.argv[2] ?? '') as Settings
const { store } = await openStore(place)
const { findClient, findContract, findTier } = store
const told = watch
  ? store
  : {
      findClient: findClient.bind(store),
      findContract: findContract.bind(store),
      findTier: findTier.bind(store),
    }
const { enforceClientId, limitBySla, admissionOf } = clientele({
  api: 'orders',
  store: cache === undefined ? told : cachedStore(told, cache),
})

const app = express()
app.get('/orders', enforceClientId(), limitBySla(), (req, res) => {
  const { client, tier } = admissionOf(req, 'client', 'tier')
  res.json({ client: client.id, tier: tier.name })
})
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${String((server.address() as AddressInfo).port)}\n`)
})
