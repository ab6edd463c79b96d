import type { Command } from 'commander'
import { isOurFault } from '../our-fault.js'
import { FetchTrouble } from '../../runtime/bounded-fetch.js'
import type { Patient } from '../doctor/checks.js'
import { counterChecks } from '../doctor/counter-checks.js'
import { issuerChecks } from '../doctor/issuer-checks.js'
import { machineChecks } from '../doctor/machine-checks.js'
import { storeChecks } from '../doctor/store-checks.js'
import { CliError } from '../exit-codes.js'
import { openCounter } from '../open-counter.js'
import { onStore, type Session } from '../session.js'

export function addDoctor(program: Command): void {
  onStore(
    program
      .command('doctor')
      .description('whether store, counter, issuers, clocks and files are as they have to be')
      .option('--counter <counter>', 'a directory or redis:// URL of the counter; CLIENTELE_COUNTER'),
    examine,
  )
}

async function examine(session: Session, options: { readonly counter?: string }): Promise<void> {
  const opened = await openCounter(options.counter, session.config)
  try {
    await report({ ...session, counter: opened?.counter })
  } finally {
    await opened?.close()
  }
}

async function report(patient: Patient): Promise<void> {
  const results: { readonly check: string; readonly ok: boolean; readonly found: string }[] = []
  const checks = [machineChecks, storeChecks, counterChecks, issuerChecks].flatMap((checksOf) => checksOf(patient))
  for (const { name, run } of checks) {
    const found = (await run().catch(whatFailed)) ?? ''
    results.push({ check: name, ok: found === '', found })
  }
  patient.print.list(results, [
    ['CHECK', ({ check }) => check],
    ['OK', ({ ok }) => (ok ? 'yes' : 'NO')],
    ['FOUND', ({ found }) => found],
  ])
  if (results.some(({ ok }) => !ok)) throw new CliError('different', 'something is not as it should be')
}

/** What others say when they fail may hold a URL with a password. */
function whatFailed(error: unknown): string {
  if (isOurFault(error)) return `${error.code}: ${error.message}`
  return error instanceof FetchTrouble ? `no answer: ${error.reason}` : 'it failed'
}
