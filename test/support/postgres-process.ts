import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

/** Where the programs of the newest PostgreSQL are that is installed here. */
export const postgresPrograms: string =
  versionFolders('/usr/lib/postgresql').find((folder) => existsSync(join(folder, 'initdb'))) ?? ''

function versionFolders(root: string): string[] {
  if (!existsSync(root)) return []
  const versions = readdirSync(root).sort((one, other) => Number(other) - Number(one))
  return versions.map((version) => join(root, version, 'bin'))
}

/** PostgreSQL does not run as root: then it is the user that its package has made. */
function owner(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

/** A PostgreSQL of a test's own, to be killed. It keeps what it has committed. */
export class PostgresProcess {
  readonly #folder: string
  readonly #port: number
  #child: ChildProcess

  private constructor(folder: string, port: number, child: ChildProcess) {
    this.#folder = folder
    this.#port = port
    this.#child = child
  }

  static async start(): Promise<PostgresProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'clientele-postgres-'))
    const { uid, gid } = owner()
    if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
    const parameters = ['-D', join(folder, 'data'), '-A', 'trust', '-U', 'postgres', '--no-sync']
    execFileSync(join(postgresPrograms, 'initdb'), parameters, { ...owner(), cwd: folder, stdio: 'ignore' })
    const port = await freePort()
    return new PostgresProcess(folder, port, await listening(folder, port))
  }

  get url(): string {
    return urlAt(this.#port)
  }

  /** All of its processes at once, as when the machine goes down. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#signal('SIGKILL')
    await exit
  }

  /** After `kill`: on the same port, with what was committed. */
  async startAgain(): Promise<void> {
    this.#child = await listening(this.#folder, this.#port)
  }

  /** It holds its connections, and does nothing. */
  stop(): void {
    this.#signal('SIGSTOP')
  }

  continue(): void {
    this.#signal('SIGCONT')
  }

  async remove(): Promise<void> {
    this.continue()
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    if (pid === undefined) return
    // Each connection has a process of its own.
    const children = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' })
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter(([, parent]) => parent === pid)
    for (const each of [pid, ...children.map(([child = 0]) => child)]) {
      try {
        process.kill(each, signal)
      } catch {
        // Ended meanwhile.
      }
    }
  }
}

function urlAt(port: number): string {
  return `postgresql://postgres@127.0.0.1:${String(port)}/postgres`
}

async function freePort(): Promise<number> {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  await new Promise((resolve) => free.close(resolve))
  return port
}

async function listening(folder: string, port: number): Promise<ChildProcess> {
  const settings = [`listen_addresses=127.0.0.1`, `unix_socket_directories=${folder}`, 'max_connections=50']
  const parameters = ['-D', join(folder, 'data'), '-p', String(port), ...settings.flatMap((each) => ['-c', each])]
  for (let tries = 0; tries < 20; tries += 1) {
    const child = spawn(join(postgresPrograms, 'postgres'), parameters, { ...owner(), cwd: folder, stdio: 'ignore' })
    while (child.exitCode === null) {
      if (await answers(port)) return child
      await sleep(50)
    }
    // One that was killed may still be about to go.
    await sleep(200)
  }
  throw new Error('postgres does not start')
}

async function answers(port: number): Promise<boolean> {
  const client = new pg.Client({ connectionString: urlAt(port), connectionTimeoutMillis: 1000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}
