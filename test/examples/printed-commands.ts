import { expect } from 'vitest'
import { paste, RunningExample } from './running-example.js'

/** An example that is asked for any free port, and the lines that it prints to be pasted, in their order. */
export interface Printed {
  readonly example: RunningExample
  readonly commands: readonly string[]
}

const command = /^(?:TOKEN=\S.*; )?curl .*$/gm

export async function startPrinting(
  script: string,
  lines: number,
  environment: Record<string, string> = {},
): Promise<Printed> {
  const all = new RegExp(`(?:curl -i .*\\n[^]*){${String(lines)}}`)
  const example = await RunningExample.start(script, { PORT: '0', ...environment }, all)
  return { example, commands: example.stdout.match(command) ?? [] }
}

/** Ctrl-C ends it in good order, with nothing to complain about. */
export async function expectToStop({ example }: Printed): Promise<void> {
  const { code, stderr, tookMs } = await example.stop('SIGINT')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(tookMs).toBeLessThan(3000)
}

/** The tier `trial` of the examples: three calls a minute. */
export async function expectThreeCalls(line: string): Promise<void> {
  for (const left of [2, 1, 0]) {
    const answer = await paste(line)
    expect(answer).toContain(' 200 OK')
    expect(answer).toMatch(new RegExp(`\\{"hello":"Acme","tier":"[a-z]+","left":${String(left)}\\}`))
  }
  expect(await paste(line)).toContain(' 429 Too Many Requests')
}
