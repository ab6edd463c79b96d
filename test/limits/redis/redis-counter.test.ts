import { redisCounter, type RedisCommandClient, type RedisCounter } from 'clientele/redis'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { testCounter } from '../../../src/testing/counter.js'
import { commandClients, type OpenedClient } from '../../stores/redis-clients.js'
import { describeWithServer } from '../../support/needs.js'
import { ownPlace, type Place } from '../../support/servers.js'

const describeWithRedis = await describeWithServer('redis')

describeWithRedis('redisCounter', () => {
  describe.each(Object.entries(commandClients))('with a client of %s', (_name, connect) => {
    let place: Place
    let opened: OpenedClient<RedisCommandClient>
    beforeAll(async () => {
      place = await ownPlace('redis')
      opened = await connect(place.url)
    })
    afterAll(async () => {
      opened.close()
      await place.remove()
    })
    // A thousand at once take a while on a busy machine.
    const options = () => ({ prefix: place.prefix, timeoutMs: 20_000 })
    let exact: RedisCounter | undefined
    let leasing: RedisCounter | undefined
    testCounter('exact', () => (exact ??= redisCounter(opened.client, options())), { describe, it })
    testCounter('lease', () => (leasing ??= redisCounter(opened.client, { ...options(), lease: {} })), {
      describe,
      it,
    })
  })
})
