import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { commandExamples } from '../../src/cli/examples.js'
import { makeProgram } from '../../src/cli/program.js'
import type { Command } from 'commander'

function leaves(command: Command, name: readonly string[] = []): string[] {
  if (command.commands.length === 0) return [name.join(' ')]
  return command.commands.flatMap((child) => leaves(child, [...name, child.name()]))
}

/** Where each command is run as a process: the words of it stand in that file as it is called there. */
const shownBy: Readonly<Record<string, string>> = {
  'clients list': 'commands',
  'clients show': 'each-on-store',
  'clients register': 'commands',
  'clients disable': 'commands',
  'clients enable': 'each-on-store',
  'clients remove': 'commands',
  'clients link': 'each-on-store',
  'tiers list': 'each-on-store',
  'tiers define': 'commands',
  'tiers deprecate': 'each-on-store',
  'contracts list': 'commands',
  'contracts request': 'commands',
  'contracts approve': 'commands',
  'contracts reject': 'each-on-store',
  'contracts revoke': 'commands',
  'contracts restore': 'commands',
  'contracts change-tier': 'each-on-store',
  'secrets list': 'commands',
  'secrets rotate': 'commands',
  'secrets end': 'commands',
  'registrations list': 'registrations',
  'registrations register': 'registrations',
  'registrations update': 'registrations',
  'registrations rotate': 'registrations',
  'registrations remove': 'registrations',
  'registrations import': 'registrations',
  'registrations repair': 'registrations',
  'usage list': 'each-on-store',
  'usage reset': 'each-on-store',
  audit: 'commands',
  'webhooks add': 'webhooks',
  'webhooks list': 'webhooks',
  'webhooks rotate': 'webhooks',
  'webhooks disable': 'webhooks',
  'webhooks enable': 'webhooks',
  'webhooks remove': 'webhooks',
  deliveries: 'webhooks',
  export: 'each-on-store',
  import: 'each-on-store',
  plan: 'each-on-store',
  apply: 'each-on-store',
  drift: 'each-on-store',
  schema: 'each-on-store',
  explain: 'explain',
  openapi: 'snippets',
  raml: 'snippets',
  doctor: 'commands',
}
const folder = new URL('./', import.meta.url)

it('each command is run by a test, and has an example in its help', () => {
  const commands = leaves(makeProgram()).sort()
  expect(Object.keys(commandExamples).sort()).toEqual(commands)
  const files = readdirSync(folder)
  for (const command of commands) {
    const file = `${shownBy[command] ?? 'nowhere'}.test.ts`
    expect(files, command).toContain(file)
    const text = readFileSync(new URL(file, folder), 'utf8').replace(/['",\s]+/g, ' ')
    expect(text.includes(` ${command} `), `${command} in ${file}`).toBe(true)
  }
})

it('each example is a command line that is understood', () => {
  for (const [name, lines] of Object.entries(commandExamples)) {
    for (const line of lines) {
      expect(line, name).toContain('clientele ')
      const words = line.replace(/^(\w+=\S+ )?clientele /, '').replace(/ [<>] .*$/, '')
      const given = execFileSync('/bin/sh', ['-c', `printf '%s\\n' ${words}`], { encoding: 'utf8' })
        .trim()
        .split('\n')
      const program = makeProgram()
      const reached: string[] = []
      for (const command of withActions(program)) command.action(() => void reached.push(pathOf(command)))
      program.parse(given, { from: 'user' })
      expect(reached, line).toEqual([name])
    }
  }
})

function withActions(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(withActions)
}

function pathOf(command: Command): string {
  const { parent } = command
  const isFirst = parent?.parent === null || parent?.parent === undefined
  return isFirst ? command.name() : `${pathOf(parent)} ${command.name()}`
}
