import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { addAudit } from './commands/audit.js'
import { addClients } from './commands/clients.js'
import { addContracts } from './commands/contracts.js'
import { addCode } from './commands/code.js'
import { addDoctor } from './commands/doctor.js'
import { addExplain } from './commands/explain.js'
import { addExport } from './commands/export.js'
import { addImport } from './commands/import.js'
import { addRegistrations } from './commands/registrations.js'
import { addSecrets } from './commands/secrets.js'
import { addSnippets } from './commands/snippets.js'
import { addTiers } from './commands/tiers.js'
import { addWebhooks } from './commands/webhooks.js'
import { addUsage } from './commands/usage.js'
import { commandExamples } from './examples.js'
import { CliError, exitCodes, exitOfFault } from './exit-codes.js'
import { inCommandWords } from './fault-words.js'
import { isOurFault } from './our-fault.js'
import { printable } from './safe-text.js'

/** Runs one command line and resolves to the exit code. Nothing that it throws is left. */
export async function runCli(parameters: readonly string[]): Promise<number> {
  const program = makeProgram()
  try {
    await program.parseAsync(parameters, { from: 'user' })
    return exitCodes.done.code
  } catch (error) {
    return explain(error)
  }
}

const everyAdder = [
  addClients,
  addTiers,
  addContracts,
  addSecrets,
  addRegistrations,
  addUsage,
  addAudit,
  addWebhooks,
  addExport,
  addImport,
  addCode,
  addExplain,
  addSnippets,
  addDoctor,
]

/** All commands, also for who compares them with their documentation. */
export function makeProgram(): Command {
  const program = new Command('clientele')
    .description('Clients, tiers and contracts of your APIs, in the store that your servers run on.')
    .version(ownVersion(), '-V, --version', 'the version of this package')
    .option(
      '-s, --store <store>',
      'a directory, redis:// or postgres:// URL, or a file that exports `store`; CLIENTELE_STORE',
    )
    .option('-c, --config <file>', 'a file that exports what an application is built from; CLIENTELE_CONFIG')
    .option('--create', 'make the store where there is none')
    .option('--actor <name>', 'who does this, for the record; CLIENTELE_ACTOR, otherwise the user of the system')
    .option('--json', 'for scripts: JSON in place of tables')
    .addHelpText('after', examples)
  for (const add of everyAdder) add(program)
  for (const command of withChildren(program)) settle(command)
  for (const [name, lines] of Object.entries(commandExamples)) exemplify(program, name, lines)
  return program
}

const examples = `
Examples:
  clientele --store ./data --create tiers define --api orders --name gold --approval manual --limit 100/60s
  clientele --store ./data clients register --name "Web shop" --owner team-shop
  clientele --store ./data contracts approve web-shop --api orders
  CLIENTELE_STORE=redis://127.0.0.1:6379 clientele contracts list --state pending --json

Exit codes:
${Object.values(exitCodes)
  .map(({ code, meaning }) => `  ${String(code)}  ${meaning.replaceAll('`', '')}`)
  .join('\n')}`

/** Of the package as a whole, by its own name: the same from the sources and from what is published. */
function ownVersion(): string {
  return (createRequire(import.meta.url)('clientele/package.json') as { readonly version: string }).version
}

/** The command of a name as `clients list`. */
export function commandNamed(program: Command, name: string): Command | undefined {
  return name
    .split(' ')
    .reduce<Command | undefined>((command, word) => command?.commands.find((each) => each.name() === word), program)
}

function exemplify(program: Command, name: string, lines: readonly string[]): void {
  commandNamed(program, name)?.addHelpText('after', ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n'))
}

export function withChildren(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withChildren)]
}

/** What commander says of a wrong command line may quote it. */
function settle(command: Command): void {
  command.exitOverride().configureOutput({
    writeErr: (text) => {
      process.stderr.write(text.trimEnd().split('\n').map(printable).join('\n') + '\n')
    },
  })
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done.code : exitCodes.wrongInput.code
  if (error instanceof CliError) return tell(error.message, exitCodes[error.exit].code)
  if (isOurFault(error)) {
    const exit = exitOfFault[error.code] ?? (error.status === 503 ? 'outage' : 'failed')
    return tell(`${error.code}: ${inCommandWords(error.message)}`, exitCodes[exit].code)
  }
  // A message of somebody else's may hold a URL with a password.
  const { name, code } = error as { readonly name?: unknown; readonly code?: unknown }
  const kind = [name, code].filter((part) => typeof part === 'string').join(' ')
  return tell(`failed: ${kind}`, exitCodes.failed.code)
}

function tell(message: string, code: number): number {
  process.stderr.write(`error: ${message.split('\n').map(printable).join('\n')}\n`)
  return code
}
