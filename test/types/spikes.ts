// Compiled, never run: policies of anonymous callers.
import type { ContractReader } from 'clientele'
import { clientele } from 'clientele/express'
import express from 'express'

declare const store: ContractReader

const app = express()
const orders = clientele({ api: 'orders', store })

app.use(orders.controlSpikes({ by: 'address', limit: { requests: 5, windowSeconds: 60 }, count: 'failures' }))
app.use(orders.controlSpikes({ by: 'route', limit: [{ requests: 5, windowSeconds: 1, algorithm: 'fixed' }] }))
clientele({ api: 'orders', store, trustedProxies: 2 })
clientele({ api: 'orders', store, trustedProxies: ['10.0.0.0/8', 'unix'], forwardingHeader: 'forwarded' })

// @ts-expect-error a spike control identifies nobody
orders.anyOf(orders.enforceClientId(), orders.controlSpikes({ by: 'route', limit: [] }))
// @ts-expect-error a forgotten limit
orders.controlSpikes({ by: 'address' })
// @ts-expect-error trusting whoever says to be a proxy
clientele({ api: 'orders', store, trustedProxies: true })
