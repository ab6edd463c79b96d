import type { IncomingMessage } from 'node:http'
import type { HttpRequest } from '../decisions/http-request.js'
import { forwardingHops, hostOf } from './forwarding-hops.js'
import type { ForwardingWatch } from './forwarding-watch.js'
import { networkOf, parseIp } from './ip-address.js'
import { proxyTrust, type Hop, type ProxyOptions, type ProxyTrust } from './trusted-proxies.js'

export interface ClientAddressOptions extends ProxyOptions {
  /** How many leading bits of an IPv6 address tell one caller from another. */
  readonly ipv6PrefixLength: number
  /** What is made of the address; for a caller without proxies once per connection. @default the address */
  readonly nameOf?: (address: string) => string
  /** Is shown who is connected and no proxy, once per connection. @default none */
  readonly forwardingWatch?: ForwardingWatch | undefined
}

/** Whoever is connected to this process: the same for all requests of a connection. */
interface Connected {
  readonly name: string
  readonly isProxy: boolean
}

/**
 * Says whose a request is, as one text per caller: an IPv4 address or an IPv6 network; `unix` for whoever calls
 * through a Unix socket, which has no address, and `unknown` where the caller is gone before it could be asked for.
 *
 * What a forwarding header says is believed hop by hop, from the nearest on, as long as it is a trusted proxy that
 * says it. The first who is none is the caller; where a hop cannot be read, it is the proxy that named it.
 */
export class ClientAddress {
  readonly #trusts: ProxyTrust
  readonly #header: NonNullable<ProxyOptions['forwardingHeader']>
  readonly #ipv6PrefixLength: number
  readonly #nameOf: (address: string) => string
  readonly #peers = new WeakMap<object, Connected>()
  readonly #forwardingWatch: ForwardingWatch | undefined

  constructor(options: ClientAddressOptions) {
    const { trustedProxies, forwardingHeader = 'x-forwarded-for', ipv6PrefixLength } = options
    this.#trusts = proxyTrust(trustedProxies ?? 'none')
    this.#header = forwardingHeader
    this.#ipv6PrefixLength = ipv6PrefixLength
    this.#nameOf = options.nameOf ?? ((address) => address)
    this.#forwardingWatch = options.forwardingWatch
  }

  of(request: HttpRequest): string {
    const { socket } = request.raw as IncomingMessage
    const peer = this.#peers.get(socket) ?? this.#peerOf(request, socket)
    return peer.isProxy ? this.#behind(peer, request.headerValues(this.#header)) : peer.name
  }

  #peerOf(request: HttpRequest, socket: IncomingMessage['socket']): Connected {
    const hop = hopOf(socket)
    const peer = { name: this.#nameOf(this.#networkOf(hop)), isProxy: this.#trusts(hop, 0) }
    if (hop === undefined) return peer
    if (!peer.isProxy) this.#forwardingWatch?.look(request)
    this.#peers.set(socket, peer)
    return peer
  }

  #behind(peer: Connected, lines: readonly string[]): string {
    const hops = forwardingHops(this.#header, lines)
    let caller: Hop
    for (let distance = 1; distance <= hops.length; distance += 1) {
      const text = hops[hops.length - distance]
      const hop = text === undefined ? undefined : parseIp(hostOf(text))
      if (hop === undefined) break
      caller = hop
      if (!this.#trusts(hop, distance)) break
    }
    return caller === undefined ? peer.name : this.#nameOf(this.#networkOf(caller))
  }

  #networkOf(hop: Hop): string {
    if (hop === undefined) return 'unknown'
    return hop === 'unix' ? hop : networkOf(hop, this.#ipv6PrefixLength)
  }
}

/**
 * A socket of TCP knows its own end even when the other one is gone: without that, somebody who hangs up at once would
 * pass for a Unix socket.
 */
export function hopOf({ remoteAddress, localAddress, destroyed }: IncomingMessage['socket']): Hop {
  if (remoteAddress !== undefined) return parseIp(remoteAddress)
  return localAddress === undefined && !destroyed ? 'unix' : undefined
}
