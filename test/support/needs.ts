import { execFileSync } from 'node:child_process'
import { connect } from 'node:net'
import { describe } from 'vitest'
import { hasGlewlwyd } from './glewlwyd.js'
import { serverUrls, type Server } from './servers.js'

type Suite = (name: string, tests: () => void | Promise<void>) => void

/** A suite that needs a program which may be missing. Says so where it is; in CI that is a failure. */
export function describeWithProgram(program: string, ...probe: readonly string[]): Suite {
  return answers(program, probe) ? describe : missing(`${program} is not installed`)
}

/** The same for a database server, at the address that `serverUrls` has for it. */
export async function describeWithServer(server: Server): Promise<Suite> {
  const url = new URL(serverUrls[server])
  return (await listens(url)) ? describe : missing(`no ${server} answers at ${url.host}`)
}

/** The same for an authorization server that not every system offers: `.ci/run` says so where it cannot be had. */
export function describeWithGlewlwyd(): Suite {
  if (hasGlewlwyd) return describe
  const reason = 'it needs glewlwyd, which is not installed'
  return process.env.CLIENTELE_WITHOUT === 'glewlwyd' ? skipped(reason) : missing(reason)
}

/** A suite for newer versions of Node alone: nobody can bring them to an older one, so that is no failure in CI. */
export function describeFromNode(version: `${number}.${number}`): Suite {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [fromMajor = 0, fromMinor = 0] = version.split('.').map(Number)
  const isNewEnough = major > fromMajor || (major === fromMajor && minor >= fromMinor)
  return isNewEnough ? describe : skipped(`it needs Node ${version}, and this is ${process.versions.node}`)
}

function missing(reason: string): Suite {
  if (process.env.CI !== undefined) throw new Error(`${reason}, and CI has to run the tests that need it`)
  return skipped(reason)
}

function skipped(reason: string): Suite {
  return (name, tests) => {
    process.stderr.write(`skipped: ${name}, because ${reason}\n`)
    describe.skipIf(true)(`${name} (skipped: ${reason})`, tests)
  }
}

function answers(program: string, parameters: readonly string[]): boolean {
  try {
    execFileSync(program, parameters, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const patienceMs = 2000

function listens({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: patienceMs })
    const end = (listening: boolean) => () => {
      socket.destroy()
      resolve(listening)
    }
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false))
  })
}
