import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const start = promisify(execFile)

async function run(...parameters: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return runWithout(undefined, ...parameters)
}

/** Where a program cannot be had. */
async function runWithout(
  program: string | undefined,
  ...parameters: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...process.env, CLIENTELE_WITHOUT: program }
  try {
    return { code: 0, ...(await start(process.execPath, parameters, { cwd: root, env, timeout: 25_000 })) }
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string }
  }
}

/** Reports of vitest itself on small suites, and what becomes of them. */
describe('the judge of test reports', () => {
  const folder = mkdtempSync(join(tmpdir(), 'clientele-judge-'))
  let suites = 0
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  async function reportOf(suite: string): Promise<string> {
    const suiteFolder = join(folder, String((suites += 1)))
    mkdirSync(suiteFolder)
    writeFileSync(join(suiteFolder, 'a.test.js'), suite)
    const report = join(suiteFolder, 'report.json')
    const options = ['--globals', '--root', suiteFolder, '--reporter=json', `--outputFile=${report}`]
    await run('node_modules/vitest/vitest.mjs', 'run', ...options)
    return report
  }

  async function judge(report: string, node = '20.19.0'): Promise<string> {
    const { code, stdout, stderr } = await run('.ci/judge.mjs', report, node)
    return `${code}: ${stdout}${stderr}`
  }

  it('takes one in which all has passed', async () => {
    expect(await judge(await reportOf("describe('a', () => { it('b', () => {}); it('c', () => {}) })"))).toBe(
      '0: 2 passed, 0 failed, 0 skipped\n',
    )
  })

  it('refuses failures, by name', async () => {
    expect(await judge(await reportOf("it('a', () => {}); it('b', () => expect(1).toBe(2))"))).toBe(
      '1: 1 passed, 1 failed, 0 skipped\n  failed: b\n',
    )
  })

  it('refuses a file that could not be run', async () => {
    expect(await judge(await reportOf("import './nowhere.js'; it('a', () => {})"))).toMatch(
      /^1: 0 passed, 0 failed, 0 skipped\n {2}not run: .*a\.test\.js: /,
    )
  })

  it('refuses a run of nothing', async () => {
    expect(await judge(await reportOf("it.skip('a, which needs Node 22.19', () => {})"))).toBe(
      '1: 0 passed, 0 failed, 1 skipped\n',
    )
  })

  it('refuses what was skipped for no reason', async () => {
    expect(await judge(await reportOf("it('a', () => {}); it.skip('b', () => {}); it.todo('c')"))).toBe(
      '1: 1 passed, 0 failed, 2 skipped\n' +
        '  skipped, and not for want of a newer Node: b\n  skipped, and not for want of a newer Node: c\n',
    )
  })

  it('takes what was skipped for want of a newer Node, where it is one', async () => {
    const suite = "it('a', () => {}); describe.skip('b (skipped: needs Node 22.19)', () => { it('c', () => {}) })"
    const report = await reportOf(suite)
    for (const node of ['20.20.2', '22.9.0']) {
      expect(await judge(report, node)).toBe('0: 1 passed, 0 failed, 1 skipped\n')
    }
    for (const node of ['22.19.0', '24.0.0']) {
      expect(await judge(report, node)).toBe(
        '1: 1 passed, 0 failed, 1 skipped\n' +
          '  skipped, and not for want of a newer Node: b (skipped: needs Node 22.19) c\n',
      )
    }
  })

  it('takes what was skipped for want of a program that cannot be had', async () => {
    const suite = "it('a', () => {}); describe.skip('b (skipped: it needs glewlwyd, …)', () => { it('c', () => {}) })"
    const report = await reportOf(suite)
    for (const [program, code] of [
      ['glewlwyd', 0],
      ['glewl', 1],
      [undefined, 1],
    ] as const) {
      expect(await runWithout(program, '.ci/judge.mjs', report, '24.0.0')).toMatchObject({ code })
    }
  })
})
