import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { codeJsonSchema } from '../../src/cli/as-code/code-schema.js'

interface ListSchema {
  readonly items: { readonly properties: Readonly<Record<string, object>>; readonly required?: readonly string[] }
}

it('docs/reference/clientele-yaml.md names every member of each list, and which are required', () => {
  const page = readFileSync(new URL('../../docs/reference/clientele-yaml.md', import.meta.url), 'utf8')
  const documented = new Map<string, Record<string, boolean>>()
  for (const section of page.split('\n## ').slice(1)) {
    const [name = '', ...lines] = section.split('\n')
    const rows = lines.flatMap((line) => /^\| `(\w+)` *\|[^|]*\| (required)?/.exec(line) ?? [])
    const members: Record<string, boolean> = {}
    for (let at = 0; at < rows.length; at += 3) members[rows[at + 1] ?? ''] = rows[at + 2] !== undefined
    documented.set(name.trim(), members)
  }
  const { properties } = codeJsonSchema() as { readonly properties: Readonly<Record<string, ListSchema>> }
  const wanted = Object.entries(properties).map(([list, { items }]) => {
    const members = Object.keys(items.properties).map((member) => [member, items.required?.includes(member) === true])
    return [list, Object.fromEntries(members)]
  })
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(wanted))
})
