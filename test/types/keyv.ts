// Compiled, never run: a Keyv of either major fits, with any type of value, and one that an adapter makes.
import { createKeyv } from '@keyv/redis'
import { keyvStore } from 'clientele/keyv'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv6'

keyvStore(new Keyv({ namespace: 'contracts' }), { soleWriter: true })
keyvStore(new Keyv<string>())
keyvStore(new Keyv6({ namespace: 'contracts' }))
keyvStore(new Keyv6<string>())
keyvStore(createKeyv('redis://127.0.0.1:6379'))
// @ts-expect-error an adapter is no Keyv
keyvStore(new Map())
