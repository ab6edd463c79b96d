import KeyvMysql from '@keyv/mysql'
import { keyvStore } from 'clientele/keyv'
import { expect, it } from 'vitest'
import { contractRecord, known, putContract } from '../../src/testing/contract-store-fixtures.js'
import { describeWithServer } from '../support/needs.js'
import { ownPlace } from '../support/servers.js'
import { describeEachMajor } from './keyv-majors.js'

const suite = await describeWithServer('mysql')

suite('the column of @keyv/mysql', () => {
  describeEachMajor('under keyvStore', (Keyv) => {
    it('that has no room for a commit refuses all of it, and keeps what was', async () => {
      const place = await ownPlace('mysql')
      const store = keyvStore(new Keyv({ store: new KeyvMysql({ uri: place.url }) }), { soleWriter: true })
      try {
        await store.commit(known('one'))
        const large = Array.from({ length: 40 }, (_, at) =>
          putContract(contractRecord('one', `api${String(at)}`, { reason: 'x'.repeat(2000) })),
        )
        await expect(store.commit(large)).rejects.toMatchObject({ code: 'ERR_CLIENTELE_STORE' })
        expect((await store.list({ kind: 'contract' })).records).toEqual([])
        expect(await store.findClient({ issuer: 'local', clientId: 'one' })).toBeDefined()
        await store.commit(large.slice(0, 20))
        expect((await store.list({ kind: 'contract' })).records).toHaveLength(20)
      } finally {
        await store.close()
        await place.remove()
      }
    })
  })
})
