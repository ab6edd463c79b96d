import type { Command } from 'commander'
import { exitCodes } from '../../src/cli/exit-codes.js'
import { makeProgram } from '../../src/cli/program.js'

/** What docs/reference/cli.md has to say of the commands, line by line, as `--help` has it. */
export function referenceLines(): string[] {
  const program = makeProgram()
  return [
    '## Options of every command',
    ...optionLines(program),
    ...program.commands.flatMap((command) => commandLines('clientele', command)),
    '## Exit codes',
    '| code | meaning |',
    '| --- | --- |',
    ...Object.values(exitCodes).map(({ code, meaning }) => `| ${String(code)} | ${meaning} |`),
  ]
}

function commandLines(before: string, command: Command): string[] {
  const name = `${before} ${command.name()}`
  if (command.commands.length > 0) return command.commands.flatMap((child) => commandLines(name, child))
  const parameters = command.registeredArguments.map((each) =>
    each.required ? ` <${each.name()}>` : ` [${each.name()}]`,
  )
  return [`## ${name}`, `\`${name}${parameters.join('')}\`: ${command.description()}.`, ...optionLines(command)]
}

function optionLines({ options }: Command): string[] {
  if (options.length === 0) return []
  const rows = options.map(({ flags, mandatory, description, argChoices }) => {
    const choices = argChoices === undefined ? '' : `: ${argChoices.join(', ')}`
    return `| \`${flags}\` | ${mandatory ? 'required; ' : ''}${description}${choices} |`
  })
  return ['| option | meaning |', '| --- | --- |', ...rows]
}

/** Tables are padded in the page. */
export function normalized(line: string): string {
  return line.replace(/-{3,}/g, '---').replace(/ +/g, ' ').trim()
}
