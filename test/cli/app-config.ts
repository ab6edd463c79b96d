import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url))

export interface AppPlace {
  /** The directory of the store, and of the config file itself. */
  readonly directory: string
  readonly issuer: string
}

/** A config file as an application would have it, on a disk store and a disk counter below a directory. */
export function writeAppConfig({ directory, issuer }: AppPlace): string {
  const file = join(directory, 'clientele.config.ts')
  const text = `
import { clientele } from ${JSON.stringify(source('adapters/express.ts'))}
import { diskCounter, diskStore } from ${JSON.stringify(source('disk.ts'))}
import { basicAuth, headers, memoryReplays, query } from ${JSON.stringify(source('index.ts'))}

export const store = diskStore({ path: ${JSON.stringify(join(directory, 'data'))} })
export const counter = diskCounter({ path: ${JSON.stringify(join(directory, 'counter'))} })
const on = clientele({ api: 'orders', store, counter })
const token = { issuer: ${JSON.stringify(issuer)}, audience: ${JSON.stringify('https://api.example.com/orders')}, allowInsecureRequests: true }

export const routes = [
  { method: 'GET', path: '/orders/:id', policies: [on.enforceClientId({ from: [headers(), basicAuth(), query()] }), on.limitBySla()] },
  { method: 'POST', path: '/orders', policies: [on.anyOf(on.validateJwt({ ...token, scopes: ['orders:write'] }), on.enforceClientId()), on.limitBySla()] },
  { method: 'PUT', path: '/orders/:id', policies: [on.validateJwt({ ...token, dpop: { publicUrl: 'http://localhost', replays: memoryReplays() } }), on.requireScopes(['orders:admin']), on.limitBySla({ fields: ['x-ratelimit'] })] },
  { method: 'GET', path: '/login', policies: [on.controlSpikes({ by: 'address', limit: { requests: 2, windowSeconds: 600 }, counter, name: 'log-in' }), on.enforceClientId()] },
]

export const close = () => counter.close()
`
  writeFileSync(file, text)
  return file
}
