// Compiled, never run: limits, and what becomes of them.
import type { ClientUsage, ContractReader, ThrottleBySlaOptions, WhenCounterFails } from 'clientele'
import { clientele } from 'clientele/express'
import { clientele as forKoa } from 'clientele/koa'
import express from 'express'

declare const store: ContractReader

const app = express()
const { enforceClientId, limitBySla, throttleBySla, controlSpikes, usageOf, resetUsage, endWaiting } = clientele({
  api: 'orders',
  store,
})

const share: WhenCounterFails = { localShare: { processes: 4 } }
const waiting: ThrottleBySlaOptions = { maxWaitMs: 100, maxWaiting: 5, maxWaitingInAll: 50, whenCounterFails: share }
app.get('/a', enforceClientId(), limitBySla({ whenCounterFails: 'admit', enforce: 0.5 }), throttleBySla(waiting))
app.use(
  controlSpikes({ by: 'route', limit: { requests: 5, windowSeconds: 1 }, queue: { maxWaiting: 5 }, enforce: false }),
)
forKoa({ api: 'orders', store }).throttleBySla()

export const usage: Promise<ClientUsage> = usageOf({ client: 'c1', authenticated: false })
export const reset: Promise<void> = resetUsage({ client: 'c1' })
endWaiting()

// @ts-expect-error how many processes there are has to be said
limitBySla({ whenCounterFails: { localShare: {} } })
// @ts-expect-error a policy that identifies is enforced always
enforceClientId({ enforce: false })
// @ts-expect-error clients are named by their internal ID, in an object
void usageOf('c1')
// @ts-expect-error a limit lets nobody wait
limitBySla({ maxWaitMs: 100 })
