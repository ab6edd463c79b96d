import { createHash } from 'node:crypto'
import { appendFileSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { isDeepStrictEqual } from 'node:util'
import { applyStep } from '../as-code/apply.js'
import { codeJsonSchema, readCodeFile, type CodeFile } from '../as-code/code-schema.js'
import { planOf, type PlannedStep } from '../as-code/plan.js'
import { CliError, wrongInput } from '../exit-codes.js'
import { printableJson } from '../safe-text.js'
import { onStore, type Session } from '../session.js'

interface PlanOptions {
  readonly out?: string
}

interface ApplyOptions {
  readonly plan?: string
  readonly secretsOut?: string
}

const defaultFile = 'clientele.yaml'

export function addCode(program: Command): void {
  const command = (name: string, description: string): Command =>
    program.command(name).argument('[file]', 'the file', defaultFile).description(description)
  onStore(
    command('plan', 'what is different between a file and the store').option('--out <file>', 'keep the plan for apply'),
    plan,
  )
  onStore(
    command('apply', 'make the store as a file says, if it still is as the plan has seen it')
      .option('--plan <file>', 'what `plan --out` has written: nothing else is applied')
      .option('--secrets-out <file>', 'a new file for the secrets of new clients'),
    apply,
  )
  onStore(command('drift', 'whether somebody has changed by hand what a file says: exit code 7'), drift)
  program
    .command('schema')
    .description('the JSON schema of clientele.yaml, for editors')
    .action(() => {
      process.stdout.write(printableJson(codeJsonSchema(), 2) + '\n')
    })
}

async function plan({ store, print }: Session, { out }: PlanOptions, path = ''): Promise<void> {
  const file = readCodeFile(path)
  const steps = await planOf(store, file)
  show(print, steps)
  if (out !== undefined) writeFileSync(out, JSON.stringify(planRecord(file, steps), undefined, 2) + '\n')
}

async function drift(session: Session, _options: object, path = ''): Promise<void> {
  const steps = await planOf(session.store, readCodeFile(path))
  show(session.print, steps)
  if (steps.length > 0) throw new CliError('different', 'the store is not as the file says')
}

async function apply(session: Session, options: ApplyOptions, path = ''): Promise<void> {
  const file = readCodeFile(path)
  const steps = await planOf(session.store, file)
  if (options.plan !== undefined) requireSame(options.plan, planRecord(file, steps))
  const keepSecret = secretKeeper(steps, options.secretsOut)
  for (const step of steps) await applyStep({ ...session, keepSecret }, step)
  show(session.print, steps)
  session.print.note(steps.length === 0 ? 'Nothing to do.' : 'Done.')
}

function show(print: Session['print'], steps: readonly PlannedStep[]): void {
  print.list(
    steps,
    [
      ['DO', ({ seen }) => (seen === null ? 'make' : 'change')],
      ['KIND', ({ kind }) => kind],
      ['WHICH', nameOf],
      ['HOW', ({ differences }) => differences.join('; ')],
    ],
    (step) => ({ kind: step.kind, which: nameOf(step), seen: step.seen, differences: step.differences }),
  )
}

function nameOf(step: PlannedStep): string {
  if (step.kind === 'client') return step.wanted.clientId
  return step.kind === 'tier' ? `${step.wanted.api} ${step.wanted.name}` : `${step.wanted.client} ${step.wanted.api}`
}

/** What a kept plan says: of which file, and what was seen. */
function planRecord({ yaml }: CodeFile, steps: readonly PlannedStep[]): object {
  const fileDigest = createHash('sha256').update(yaml.text).digest('hex')
  return { fileDigest, steps: steps.map((step) => ({ kind: step.kind, which: nameOf(step), seen: step.seen })) }
}

function requireSame(path: string, now: object): void {
  let kept: unknown
  try {
    kept = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    throw wrongInput(`--plan: ${path} cannot be read, or is no plan`)
  }
  if (!isDeepStrictEqual(kept, now)) throw new CliError('conflict', 'the file or the store has changed since the plan')
}

/** Checked before anything is changed: a secret that could not be kept would be lost. */
function secretKeeper(steps: readonly PlannedStep[], path: string | undefined): (id: string, secret: string) => void {
  const makesSecrets = steps.some(
    (step) => step.kind === 'client' && step.before === undefined && step.wanted.type !== 'public',
  )
  if (!makesSecrets) return () => undefined
  if (path === undefined) throw wrongInput('new clients get secrets: say with --secrets-out where to keep them')
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch {
    throw wrongInput(`--secrets-out: ${path} is there already, or cannot be made`)
  }
  return (clientId, clientSecret) => {
    appendFileSync(path, JSON.stringify({ clientId, clientSecret }) + '\n')
  }
}
