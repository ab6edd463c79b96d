import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { paste, RunningExample } from './running-example.js'

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

export function startDemo(dataFolder: string, port: number): Promise<RunningExample> {
  return RunningExample.start('demo/main.ts', { PORT: String(port), DATA_DIR: dataFolder }, /Ctrl-C stops it/)
}

export async function demoFile(dataFolder: string): Promise<DemoFile> {
  return JSON.parse(await readFile(join(dataFolder, 'demo.json'), 'utf8')) as DemoFile
}

/** Each `# title → answer` with the command below it. */
export function printedLines({ stdout }: RunningExample): readonly PrintedLine[] {
  return [...stdout.matchAll(/^ {2}# (.+) → (.+)\n {2}(\S.*)$/gm)].map(([, title = '', answer = '', command = '']) => ({
    title,
    answer,
    command,
  }))
}

export function lineOf(demo: RunningExample, title: string): PrintedLine {
  const line = printedLines(demo).find((each) => each.title.startsWith(title))
  if (line === undefined) throw new Error(`the demo prints no line "${title}"`)
  return line
}

/** Pastes every line. The loop prints statuses, the others whole answers, of which status and a part are announced. */
export async function expectAnswers(demo: RunningExample): Promise<void> {
  for (const { title, answer, command } of printedLines(demo)) {
    const output = await paste(command)
    if (command.startsWith('for ')) {
      expect(output.trim(), title).toBe(answer)
      continue
    }
    const [status, ...part] = answer.split(' ')
    expect(output, title).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(output, title).toContain(part.join(' '))
  }
}

export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'clientele-demo-'))
}
