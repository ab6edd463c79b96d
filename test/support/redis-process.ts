import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A Redis of a test's own, to be killed. It keeps nothing on disk, unless its settings say so. */
export class RedisProcess {
  readonly #port: number
  readonly #settings: readonly string[]
  #child: ChildProcess

  private constructor(port: number, settings: readonly string[], child: ChildProcess) {
    this.#port = port
    this.#settings = settings
    this.#child = child
  }

  /** Settings as on the command line of the server. */
  static async start(...settings: readonly string[]): Promise<RedisProcess> {
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port } = free.address() as AddressInfo
    await new Promise((resolve) => free.close(resolve))
    return new RedisProcess(port, settings, await listening(port, settings))
  }

  get url(): string {
    return `redis://127.0.0.1:${String(this.#port)}`
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }

  /** After `kill`: on the same port, and empty. */
  async startAgain(): Promise<void> {
    this.#child = await listening(this.#port, this.#settings)
  }

  /** It holds its connections, and does nothing. */
  stop(): void {
    this.#child.kill('SIGSTOP')
  }

  continue(): void {
    this.#child.kill('SIGCONT')
  }
}

async function listening(port: number, settings: readonly string[]): Promise<ChildProcess> {
  const usual = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', [...usual, ...settings], { stdio: 'ignore' })
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${String(child.exitCode)}`)
    await sleep(20)
  }
  return child
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => {
      resolve(false)
    })
  })
}
