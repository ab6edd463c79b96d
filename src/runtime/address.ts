import { optionsFault } from './check.js'

/** An address that our secrets or decisions may hang on. */
export function requireAddress(where: string, option: string, address: string, allowInsecure: boolean): void {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !['https:', 'http:'].includes(url.protocol)) {
    throw optionsFault(where, `${option}: expected an https URL`)
  }
  if (url.username !== '' || url.password !== '') {
    throw optionsFault(where, `${option}: expected a URL without a user name or password`)
  }
  if (url.protocol === 'http:' && !allowInsecure) {
    throw optionsFault(where, `${option}: expected an https URL; http needs allowInsecureRequests: true`)
  }
}
