import { redisStore } from 'clientele/redis'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { testContractStore } from '../../src/testing/contract-store.js'
import { describeWithServer } from '../support/needs.js'
import { ownPlace, type Place } from '../support/servers.js'
import { redisClients, type OpenedClient } from './redis-clients.js'

const describeWithRedis = await describeWithServer('redis')

describeWithRedis('redisStore', () => {
  describe.each(Object.entries(redisClients))('with a client of %s', (_name, connect) => {
    let place: Place
    let opened: OpenedClient
    let made = 0
    const openLast = () => redisStore(opened.client, { prefix: `${place.prefix}:${made}` })

    beforeAll(async () => {
      place = await ownPlace('redis')
      opened = await connect(place.url)
    })
    afterAll(async () => {
      opened.close()
      await place.remove()
    })

    testContractStore(
      'redisStore',
      () => {
        made += 1
        return openLast()
      },
      { describe, it, openAgain: openLast, openBeside: openLast },
    )
  })
})
