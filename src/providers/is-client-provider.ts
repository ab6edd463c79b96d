import { hasFunctions } from '../runtime/check.js'
import type { ClientProvider } from './client-provider.js'

const hasProviderFunctions = hasFunctions('create', 'update', 'rotate', 'delete', 'import')

export function isClientProvider(value: unknown): value is ClientProvider {
  return hasProviderFunctions(value) && typeof Reflect.get(value as object, 'name') === 'string'
}
