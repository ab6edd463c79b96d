import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { prebuilt } from './prebuilt.js'

export type Child = ChildProcessByStdio<Writable, Readable, null>

/** A script as a process of its own. What it complains of is shown with the test. */
export async function startChild(script: URL, ...parameters: readonly string[]): Promise<Child> {
  return spawn(process.execPath, [await prebuilt(script), ...parameters], { stdio: ['pipe', 'pipe', 'inherit'] })
}

/** The first line that it says; a test that comes here has a process that says one. */
export async function firstLine(child: Child): Promise<string> {
  const lines = createInterface({ input: child.stdout })
  const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit')])) as unknown[]
  if (typeof line !== 'string') throw new Error('the process ended before it said anything')
  return line
}

export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
