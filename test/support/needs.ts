import { execFileSync } from 'node:child_process'
import { describe } from 'vitest'

type Suite = (name: string, tests: () => void) => void

/** A suite that needs a program which may be missing. Says so where it is; in CI that is a failure. */
export function describeWithProgram(program: string, ...probe: readonly string[]): Suite {
  if (answers(program, probe)) return (name, tests) => describe(name, tests)
  if (process.env.CI !== undefined) throw new Error(`${program} is missing, and CI has to run the tests that need it`)
  return (name, tests) => {
    process.stderr.write(`skipped: ${name}, because ${program} is not installed\n`)
    describe.skipIf(true)(`${name} (skipped: ${program} is not installed)`, tests)
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
