import Router from '@koa/router'
import type { AdmittedClient, ContractReader } from 'clientele'
import { clientele, type KoaClientele, type KoaHandler } from 'clientele/koa'
import Koa from 'koa'
import type { Exactly } from './exactly.js'

declare const store: ContractReader
const made: KoaClientele = clientele({ api: 'orders', store })
const { enforceClientId, introspectToken, anyOf, limitBySla, admissionOf } = made

interface State {
  user: string
}
const app = new Koa<State>()
const router = new Router<State>()
const guard: KoaHandler = enforceClientId()
app.use(guard)
app.use(async (ctx, next) => {
  const state: Exactly<typeof ctx.state.user, string> = true
  const { client } = admissionOf(ctx, 'client')
  const narrowed: Exactly<typeof client, AdmittedClient> = true
  ctx.body = { state, narrowed, name: client.name }
  await next()
})
router.get('/orders/:id', enforceClientId(), limitBySla(), (ctx) => {
  const state: Exactly<typeof ctx.state.user, string> = true
  ctx.body = { state, id: ctx.params['id'], name: admissionOf(ctx, 'client').client.name }
})
const as = { clientId: 'a', clientSecret: 'b' }
router.use(anyOf(introspectToken({ issuer: 'https://issuer.example', as, audience: 'orders' }), enforceClientId()))
app.use(router.routes())

app.use((ctx) => {
  // @ts-expect-error client is possibly undefined
  ctx.body = admissionOf(ctx).client.name
  // @ts-expect-error the raw request is no context
  ctx.body = admissionOf(ctx.req)
})
