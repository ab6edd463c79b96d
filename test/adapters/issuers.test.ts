import { memoryStore } from 'clientele'
import { clientele as forExpress } from 'clientele/express'
import { clientele as forKoa } from 'clientele/koa'
import { expect, it } from 'vitest'

it.each([
  ['Express', forExpress],
  ['Koa', forKoa],
])('what can be done about an issuer is handed over by clientele() of %s', async (_name, clientele) => {
  const { issuers, validateJwt } = clientele({ api: 'orders', store: memoryStore() })
  const issuer = 'https://issuer.example'
  expect(() => {
    issuers.distrust({ issuer, kid: 'k1' })
  }).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_NOT_FOUND' }))
  validateJwt({ issuer, audience: 'orders', secret: 'a'.repeat(32) })
  issuers.distrust({ issuer, kid: 'k1' })
  await issuers.refresh({ issuer })
})
