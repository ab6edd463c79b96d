import { approveContract, defineTier, memoryStore, registerClient, requestContract, rotateSecret } from 'clientele'
import type { Exactly } from './exactly.js'

const [store, actor, api] = [memoryStore(), 'me', 'orders']

// A generated secret is there; one that was chosen is known already, and a public client has none.
const registered = await registerClient(store, { name: 'web shop', actor })
const secret: Exactly<typeof registered.clientSecret, string> = true
const { clientSecret } = await registerClient(store, { name: 'app', type: 'public', actor })
// @ts-expect-error a public client has no secret
clientSecret.trim()

const limits = [{ requests: 10, windowSeconds: 60 }]
await defineTier(store, { api, name: 'gold', approval: 'manual', limits, actor })
await requestContract(store, { client: registered.client.id, api, tier: 'gold', actor })
await rotateSecret(store, { client: registered.client.id, overlapSeconds: 60, actor })

// @ts-expect-error nobody did it
await approveContract(store, { client: registered.client.id, api })
// @ts-expect-error who approves is a decision
await defineTier(store, { api, name: 'gold', limits, actor })
// @ts-expect-error a limit has a window
await defineTier(store, { api, name: 'gold', approval: 'manual', limits: [{ requests: 1 }], actor })
// @ts-expect-error how long the old secret goes on is a decision
await rotateSecret(store, { client: registered.client.id, actor })
// @ts-expect-error a reader cannot be written to
await registerClient({ findClient: store.findClient }, { name: 'web shop', actor })

export { secret }
