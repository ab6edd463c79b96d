import type { ForwardingHeader } from './forwarding-hops.js'
import { isWithin, parseRange, type IpAddress, type IpRange } from './ip-address.js'

export interface ProxyOptions {
  /**
   * Which proxies stand between callers and this process, for policies that go by the caller's address:
   * - a list of their addresses and networks (`10.0.0.0/8`), with the words `loopback`, `linklocal` and `uniquelocal`
   *   for what Express calls so, and `unix` for whoever calls through a Unix socket;
   * - how many there are, one behind the other, where their addresses change. Nobody may reach this process past them:
   *   he could say to be anybody;
   * - `none`: no forwarding header is read.
   *
   * Each has to add the address it was called from to the forwarding header.
   * @default 'none', with a warning when a forwarding header comes in
   */
  readonly trustedProxies?: 'none' | number | readonly string[]
  /**
   * The header that these proxies write. The other one is never read: they hand it on as the caller wrote it.
   * @default 'x-forwarded-for'
   */
  readonly forwardingHeader?: ForwardingHeader
}

/** The words of Express for networks that are not the Internet's. */
const namedRanges: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}
const unixSocket = 'unix'

/** Whether a text names an address, a network, one of the words for networks, or a Unix socket. */
export function namesProxy(text: string): boolean {
  return text === unixSocket || rangesOf(text).length > 0
}

/** Whoever is one hop nearer to the caller: an address, a Unix socket, or nobody knows. */
export type Hop = IpAddress | typeof unixSocket | undefined

/** Whether a hop is one of the proxies. `distance` is 0 for whoever is connected to this process. */
export type ProxyTrust = (hop: Hop, distance: number) => boolean

export function proxyTrust(proxies: NonNullable<ProxyOptions['trustedProxies']>): ProxyTrust {
  if (proxies === 'none') return () => false
  if (typeof proxies === 'number') return (_hop, distance) => distance < proxies
  const ranges = proxies.flatMap(rangesOf)
  const unix = proxies.includes(unixSocket)
  return (hop) => {
    if (hop === undefined || hop === unixSocket) return hop === unixSocket && unix
    return ranges.some((range) => isWithin(hop, range))
  }
}

function rangesOf(text: string): IpRange[] {
  const texts = Object.hasOwn(namedRanges, text) ? (namedRanges[text] ?? []) : [text]
  return texts.map(parseRange).filter((range) => range !== undefined)
}
