import { randomId } from '../contracts/lifecycle/clients.js'
import { localIssuer } from '../contracts/model.js'
import { generateSecret } from '../contracts/secrets.js'
import type { ClientProvider, IssuedClient } from './client-provider.js'
import { refusedByProvider } from './provider-faults.js'
import { isPublic } from './registry.js'

/**
 * For client IDs and secrets that are given out here, by the same road as those of an issuer: a portal need not know
 * which it is. What `registerClient` makes without one is made here too.
 */
export function localProvider(): ClientProvider {
  return {
    name: localIssuer,
    issuer: localIssuer,
    givesTokens: false,
    rotation: 'in place',
    create: ({ metadata }) => Promise.resolve({ clientId: randomId(), ...(isPublic(metadata) ? {} : freshSecret()) }),
    update: ({ clientId }, metadata) => Promise.resolve({ clientId, metadata }),
    rotate: ({ clientId }) => Promise.resolve({ clientId, ...freshSecret() }),
    // There is no other side.
    delete: () => Promise.resolve(),
    import: () => Promise.reject(refusedByProvider('Clients of the local issuer come by importClients().')),
    find: () => Promise.resolve(undefined),
  }
}

function freshSecret(): Required<Pick<IssuedClient, 'clientSecret' | 'stored'>> {
  const { text, stored } = generateSecret(new Date())
  return { clientSecret: text, stored }
}
