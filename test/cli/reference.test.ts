import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { normalized, referenceLines } from './reference.js'

it('docs/reference/cli.md says what --help says, command by command', () => {
  const page = readFileSync(new URL('../../docs/reference/cli.md', import.meta.url), 'utf8')
  const lines = page.split('\n').map(normalized)
  expect(lines.slice(lines.indexOf('## Options of every command')).filter((line) => line !== '')).toEqual(
    referenceLines().map(normalized),
  )
})
