// Compiled, never run: what a user writes must compile as it stands, and what would be a mistake must not.
import Router from '@koa/router'
import type { ContractReader } from 'clientele'
import { clientele as forExpress } from 'clientele/express'
import { clientele as forKoa } from 'clientele/koa'
import express from 'express'
import Koa from 'koa'

declare const store: ContractReader
const issuer = 'https://issuer.example'

const onExpress = forExpress({ api: 'orders', store })
const app = express()

app.get('/orders/:id', onExpress.enforceClientId(), onExpress.limitBySla({ cost: 2 }), (req, res) => {
  // The framework's own inference of parameters survives a handler before it.
  const id: string = req.params.id
  const { client, tier, usage } = onExpress.admissionOf(req, 'client', 'tier', 'usage')
  res.json({ id, name: client.name, tier: tier.name, left: usage.remaining, view: req.clientele?.client?.name })
})
app.use('/reports', onExpress.anyOf(onExpress.validateJwt({ issuer, audience: null }), onExpress.enforceClientId()))
app.use(onExpress.validateJwt({ issuer, audience: ['orders'], scopes: { any: ['a', 'b'] } }))

const onKoa = forKoa({ api: 'orders', store })
const koa = new Koa()
const router = new Router()
koa.use(onKoa.enforceClientId())
router.get('/orders/:id', onKoa.enforceClientId(), onKoa.limitBySla(), (ctx) => {
  const { client } = onKoa.admissionOf(ctx, 'client')
  ctx.body = client.name
})
koa.use(router.routes())

// A member that was not named may be missing.
app.get('/', (req, res) => {
  // @ts-expect-error client is possibly undefined
  res.json(onExpress.admissionOf(req, 'tier').client.name)
})
// @ts-expect-error a limit identifies nobody
onExpress.anyOf(onExpress.enforceClientId(), onExpress.limitBySla())
// @ts-expect-error a forgotten audience
onExpress.validateJwt({ issuer })
// @ts-expect-error a forgotten audience
onExpress.introspectToken({ issuer, as: { clientId: 'a', clientSecret: 'b' } })
// @ts-expect-error an unknown option
onExpress.enforceClientId({ form: [] })
// @ts-expect-error an API without a name
forExpress({ store })
// @ts-expect-error a frozen admission
onExpress.admissionOf({} as never).api = 'other'
