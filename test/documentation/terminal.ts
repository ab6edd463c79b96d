import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'

const end = 'the-end-of-what-the-block-prints'
const patienceMs = 20_000

/** A shell into which blocks of a page are pasted, one after the other: variables stay from block to block. */
export class Terminal {
  readonly #shell: ChildProcessWithoutNullStreams
  #output = ''

  constructor(folder: string, environment: Record<string, string>) {
    this.#shell = spawn('sh', [], { cwd: folder, env: { ...process.env, ...environment }, detached: true })
    for (const stream of [this.#shell.stdout, this.#shell.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.#output += chunk.toString()))
    }
  }

  /** What the block prints, once it is done. */
  async paste(block: string): Promise<string> {
    const printed = await this.start(`${block}\necho ${end}`, new RegExp(`${end}\n$`))
    return printed.replace(`${end}\n`, '')
  }

  /** For a block that goes on running: what it has printed up to its last words. */
  async start(block: string, lastWords: RegExp): Promise<string> {
    this.#output = ''
    this.#shell.stdin.write(`${block}\n`)
    const deadline = performance.now() + patienceMs
    while (!lastWords.test(this.#output)) {
      if (performance.now() > deadline) throw new Error(`${block}\nprinted no more than:\n${this.#output}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return this.#output
  }

  /** What was typed, and what it started: they are one group of processes. */
  async close(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.pid === undefined) return
    const closed = once(this.#shell, 'close')
    process.kill(-this.#shell.pid, 'SIGTERM')
    await closed
  }
}
