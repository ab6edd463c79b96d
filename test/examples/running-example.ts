import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Below the time that a test may take, so that an example that hangs does not outlive it. */
const patienceMs = 20_000

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly tookMs: number
}

/** An example as a process of its own, on the sources: what is built from them is tested with the package. */
export class RunningExample {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #exit: Promise<unknown>
  #stdout = ''
  #stderr = ''

  private constructor(script: string, environment: Record<string, string>) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', `examples/${script}`], {
      cwd: root,
      env: { ...process.env, TSX_TSCONFIG_PATH: 'tsconfig.json', ...environment },
    })
    this.#exit = once(this.#child, 'exit')
    this.#child.stdout.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()))
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()))
  }

  /** Resolves when it has printed its last words. */
  static async start(script: string, environment: Record<string, string>, lastWords: RegExp): Promise<RunningExample> {
    const example = new RunningExample(script, environment)
    const patience = setTimeout(() => example.#child.kill('SIGKILL'), patienceMs)
    await new Promise<void>((resolve, reject) => {
      example.#child.stdout.on('data', () => {
        if (lastWords.test(example.#stdout)) resolve()
      })
      example.#child.once('exit', (code) => {
        reject(new Error(`${script} ended with ${String(code)}:\n${example.#stdout}${example.#stderr}`))
      })
    })
    clearTimeout(patience)
    return example
  }

  /** For starts that should fail. */
  static run(script: string, environment: Record<string, string>): Promise<Ended> {
    return new RunningExample(script, environment).#ended()
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Ended> {
    this.#child.kill(signal)
    return this.#ended()
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  async #ended(): Promise<Ended> {
    const begun = performance.now()
    await this.#exit
    const { exitCode } = this.#child
    return { code: exitCode, stdout: this.#stdout, stderr: this.#stderr, tookMs: performance.now() - begun }
  }
}

/** Pastes a command into a shell; the text that it prints. */
export async function paste(command: string): Promise<string> {
  const shell = spawn('sh', ['-c', command])
  let output = ''
  shell.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  shell.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(shell, 'close')
  return output
}

/** A free port whose next one is free too. */
export async function freePort(): Promise<number> {
  const first = createServer().listen(0, '127.0.0.1')
  await once(first, 'listening')
  const { port } = first.address() as AddressInfo
  const second = createServer().listen(port + 1, '127.0.0.1')
  const found = await once(second, 'listening').then(
    () => true,
    () => false,
  )
  for (const server of [first, second]) server.close()
  return found ? port : freePort()
}
