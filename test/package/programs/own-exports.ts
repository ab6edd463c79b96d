// What a user exports of what he made, for others to import. Not one import of the main entry: its types have to be
// found all the same.
import { diskStore } from 'clientele/disk'
import { clientele } from 'clientele/express'
import { clientele as clienteleOfKoa } from 'clientele/koa'

export const store = diskStore({ path: './data' })
export const { enforceClientId, validateJwt, introspectToken, limitBySla, anyOf, enforce, admissionOf } = clientele({
  api: 'orders',
  store,
})
export const guard = anyOf(enforceClientId(), validateJwt({ issuer: 'https://issuer.example', audience: 'orders' }))
export const { policy } = guard
export const clientOf = (request: Parameters<typeof guard>[0]) => admissionOf(request, 'client').client
export const usageOf = (request: Parameters<typeof guard>[0]) => admissionOf(request).usage
export const tierOf = (name: string) => store.findTier('orders', name)
export const { enforceClientId: enforceOnKoa, admissionOf: admissionOfKoa } = clienteleOfKoa({ api: 'orders', store })
