import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly tookMs: number
}

/** A line that the demo prints to be pasted, and what it says will come back. */
export interface PrintedLine {
  readonly title: string
  readonly answer: string
  readonly command: string
}

export interface DemoFile {
  readonly url: string
  readonly issuer: string
  readonly tokenUrl: string
  readonly routes: readonly { method: string; path: string; policies: readonly string[] }[]
  readonly clients: readonly {
    name: string
    clientId: string
    clientSecret: string | null
    tier: string
    state: string
  }[]
}

/** The demo as a process of its own, on the sources: what is built from them is tested with the package. */
export class Demo {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #exit: Promise<unknown>
  #stdout = ''
  #stderr = ''

  private constructor(
    readonly dataFolder: string,
    environment: Record<string, string>,
  ) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', 'examples/demo/main.ts'], {
      cwd: root,
      env: { ...process.env, TSX_TSCONFIG_PATH: 'tsconfig.json', DATA_DIR: dataFolder, ...environment },
    })
    this.#exit = once(this.#child, 'exit')
    this.#child.stdout.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()))
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()))
  }

  /** Resolves when the demo has said all that it says. */
  static async start(dataFolder: string, port: number): Promise<Demo> {
    const demo = new Demo(dataFolder, { PORT: String(port) })
    await new Promise<void>((resolve, reject) => {
      demo.#child.stdout.on('data', () => {
        if (demo.#stdout.includes('Ctrl-C stops it.')) resolve()
      })
      demo.#child.once('exit', (code) => {
        reject(new Error(`the demo ended with ${String(code)}:\n${demo.#stdout}${demo.#stderr}`))
      })
    })
    return demo
  }

  /** For starts that should fail. */
  static async run(dataFolder: string, environment: Record<string, string>): Promise<Ended> {
    const demo = new Demo(dataFolder, environment)
    return demo.#ended()
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

  /** Each `# title → answer` with the command below it. */
  get lines(): readonly PrintedLine[] {
    return [...this.#stdout.matchAll(/^ {2}# (.+) → (.+)\n {2}(\S.*)$/gm)].map(
      ([, title = '', answer = '', command = '']) => ({ title, answer, command }),
    )
  }

  async file(): Promise<DemoFile> {
    return JSON.parse(await readFile(join(this.dataFolder, 'demo.json'), 'utf8')) as DemoFile
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

export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'clientele-demo-'))
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
