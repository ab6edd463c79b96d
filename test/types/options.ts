// The mistakes that cost most when nobody notices: a check that is left out, and an option that nobody reads.
import { basicAuth, custom, headers, memoryCounter, query, type ContractReader } from 'clientele'
import { diskStore } from 'clientele/disk'
import { clientele } from 'clientele/express'

declare const store: ContractReader
const issuer = 'https://issuer.example'
const as = { clientId: 'a', clientSecret: 'b' }
const { enforceClientId, validateJwt, introspectToken, limitBySla, anyOf } = clientele({ api: 'orders', store })

enforceClientId({ from: [headers(), query({ id: 'id' }), basicAuth(), custom(() => undefined)], secret: 'optional' })
validateJwt({ issuer, audience: ['orders', 'reports'], scopes: { any: ['a', 'b'] } })
validateJwt({ issuer, audience: null })
validateJwt({ issuer, audience: null, contract: 'skip', acceptAnyTokenOfIssuer: true })
introspectToken({ issuer, as, audience: 'orders', scopes: ['a'] })
anyOf(anyOf(validateJwt({ issuer, audience: 'orders' }), introspectToken({ issuer, as, audience: null })))
limitBySla({ cost: 5, fields: ['ratelimit', 'x-ratelimit'] })

// @ts-expect-error a forgotten audience
validateJwt({ issuer })
// @ts-expect-error a forgotten audience
introspectToken({ issuer, as })
// @ts-expect-error a forgotten audience is not switched off
validateJwt({ issuer, audience: undefined })
// @ts-expect-error no options at all
validateJwt()
// @ts-expect-error nobody to ask as
introspectToken({ issuer, audience: 'orders' })
// @ts-expect-error said loudly or not at all
validateJwt({ issuer, audience: null, contract: 'skip', acceptAnyTokenOfIssuer: false })
// @ts-expect-error a misspelt audience
validateJwt({ issuer, audiance: 'orders', audience: null })
// @ts-expect-error a signature that is none
validateJwt({ issuer, audience: 'orders', algorithms: ['none'] })
// @ts-expect-error scopes are a list
validateJwt({ issuer, audience: 'orders', scopes: 'orders:write' })
// @ts-expect-error contracts cannot be optional
validateJwt({ issuer, audience: 'orders', contract: 'optional' })

// @ts-expect-error a limit identifies nobody
anyOf(enforceClientId(), limitBySla())
// @ts-expect-error branches are not a list
anyOf([enforceClientId(), enforceClientId()])

// @ts-expect-error an unknown option
enforceClientId({ form: [] })
// @ts-expect-error a source is built, not named
enforceClientId({ from: ['headers'] })
// @ts-expect-error an unknown option
limitBySla({ costs: 2 })
// @ts-expect-error an API without a name
clientele({ store })
// @ts-expect-error no store
clientele({ api: 'orders' })
// @ts-expect-error an unknown option
clientele({ api: 'orders', store, audience: 'orders' })
// @ts-expect-error a store on disk without a place
diskStore({})
// @ts-expect-error an unknown option
memoryCounter({ maximumKeys: 5 })
// @ts-expect-error an unknown option
headers({ name: 'x-client' })
