import { execFileSync } from 'node:child_process'
import { packageEntries } from '../../package-entries.js'
import { measure, type Contender, type Row } from '../rounds.js'

const nothing = 'a process that imports nothing'

/** What an entry adds to the start of a process, beside the frameworks. */
export function starting(): Promise<Row[]> {
  const imports = [...packageEntries.map(({ name }) => name), 'express', 'koa']
  const contenders = [importing(nothing), ...imports.map((name) => importing(name, name))]
  return measure(contenders, { operations: 1, rounds: 30, warmUpRounds: 2 })
}

function importing(name: string, module?: string): Contender {
  const program = module === undefined ? '' : `import '${module}'`
  return {
    name,
    ...(module !== undefined && { comparedTo: [nothing] }),
    prepare: () => () => {
      execFileSync(process.execPath, ['--input-type=module', '--eval', program])
    },
  }
}
