import type { IncomingMessage } from 'node:http'
import type { HttpRequest } from '../decisions/http-request.js'
import type { ProxyOptions } from './trusted-proxies.js'

/**
 * Tells the process, once for each `clientele()`, that somebody who is not trusted sends a forwarding header. Behind a
 * proxy that nobody named, all callers are one: the first to use up a limit uses it up for everybody.
 */
export class ForwardingWatch {
  readonly #api: string
  readonly #named: boolean
  #over: boolean

  constructor(api: string, trustedProxies: ProxyOptions['trustedProxies']) {
    this.#api = api
    this.#named = trustedProxies !== undefined
    this.#over = trustedProxies === 'none'
  }

  /** For whoever is connected and no proxy, as far as anybody has said. */
  look(request: HttpRequest): void {
    if (this.#over) return
    if (request.headerValues('x-forwarded-for').length + request.headerValues('forwarded').length === 0) return
    this.#over = true
    process.emitWarning(this.#named ? this.#notAmong(request) : this.#unnamed(), 'ClienteleWarning')
  }

  #unnamed(): string {
    return (
      `A request carries a forwarding header, and clientele() of API ${JSON.stringify(this.#api)} has no ` +
      'trustedProxies: callers are counted by the address of whoever is connected. Name the proxies in front, or ' +
      "write trustedProxies: 'none'."
    )
  }

  /** The address is that of the connection, and nothing that a caller wrote. */
  #notAmong({ raw }: HttpRequest): string {
    const { remoteAddress = 'a Unix socket' } = (raw as IncomingMessage).socket
    return (
      `A request to API ${JSON.stringify(this.#api)} came from ${remoteAddress} with a forwarding header, and that is ` +
      'not among the trustedProxies of clientele(): the header is not read, and all who call through there count as one.'
    )
  }
}
