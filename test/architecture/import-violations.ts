import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')

export interface Violation {
  readonly rule: string
  readonly from: string
  readonly to: string
}

interface Report {
  readonly summary: {
    readonly totalCruised: number
    readonly violations: readonly { readonly rule: { name: string }; readonly from: string; readonly to: string }[]
  }
}

/** Runs the import rules of the project over `src` in `folder`. */
export async function importViolations(folder: string): Promise<{ files: number; violations: Violation[] }> {
  const report = await cruise(folder)
  return {
    files: report.summary.totalCruised,
    violations: report.summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  }
}

function cruise(folder: string): Promise<Report> {
  const parameters = [program, 'src', '--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json']
  return new Promise((resolve, reject) => {
    // It ends with the number of violations: only an answer that is no report is an error.
    execFile(process.execPath, parameters, { cwd: folder, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout) as Report)
      } catch {
        reject(new Error(`dependency-cruiser did not report: ${stderr}`, { cause: error }))
      }
    })
  })
}
