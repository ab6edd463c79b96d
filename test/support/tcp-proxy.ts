import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Stands before a server and takes it away: what a network does. */
export class TcpProxy {
  readonly #target: { readonly host: string; readonly port: number }
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #server: Server
  #port = 0
  #stalled = false
  #delayMs = 0

  private constructor(url: string) {
    const { hostname, port } = new URL(url)
    this.#target = { host: hostname, port: Number(port) }
    this.#server = this.#listener()
  }

  static async before(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(url)
    await proxy.#listen(0)
    return proxy
  }

  /** The address, seen from before the proxy. */
  through(url: string): string {
    return Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(this.#port) }).href
  }

  /** Connections stay, and nothing comes through any more. */
  stall(): void {
    this.#stalled = true
    for (const pair of this.#pairs) for (const socket of pair) socket.pause()
  }

  /** What is sent from now on arrives so much later, either way. */
  slowDown(delayMs: number): void {
    this.#delayMs = delayMs
  }

  /** Connections break, and no new one is taken. */
  async cut(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
    await closed
  }

  /** Undoes `stall` and `cut`. */
  async resume(): Promise<void> {
    this.#stalled = false
    for (const pair of this.#pairs) for (const socket of pair) socket.resume()
    if (this.#server.listening) return
    this.#server = this.#listener()
    await this.#listen(this.#port)
  }

  async #listen(port: number): Promise<void> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  #listener(): Server {
    return createServer((near) => {
      const pair = [near, connect(this.#target)] as const
      this.#pairs.add(pair)
      for (const [from, to] of [pair, pair.toReversed()] as const) {
        from.on('data', (chunk: Buffer) => {
          if (this.#delayMs === 0) to.write(chunk)
          else setTimeout(() => to.write(chunk), this.#delayMs)
        })
        from.on('error', () => undefined)
        from.on('close', () => {
          to.destroy()
          this.#pairs.delete(pair)
        })
        if (this.#stalled) from.pause()
      }
    })
  }
}
