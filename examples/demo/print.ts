import { styleText } from 'node:util'
import type { CurlGroup } from './curl-lines.js'
import type { DemoClient } from './demo-file.js'
import type { DescribedRoute } from './routes.js'
import type { Settings } from './settings.js'

interface Guide {
  readonly settings: Settings
  readonly routes: readonly DescribedRoute[]
  readonly clients: readonly DemoClient[]
  readonly groups: readonly CurlGroup[]
}

type Style = 'bold' | 'dim' | 'green' | 'yellow'
type Paint = (style: Style, text: string) => string

/** Colours on a terminal that wants them (NO_COLOR is heard), plain text elsewhere. */
const paint: Paint =
  process.stdout.isTTY && process.stdout.hasColors() ? (style, text) => styleText(style, text) : (_style, text) => text

export function printGuide({ settings, routes, clients, groups }: Guide): void {
  const sections = [
    table([
      ['Orders API', paint('bold', settings.url)],
      ['OpenID provider', settings.issuer],
      ['Data', `${settings.dataFolder} (IDs and secrets: demo.json)`],
    ]),
    section('Routes, and who may call them', table(routes.map(routeRow))),
    section('Applications', table(clients.map(({ name, tier, state }) => [name, tier, state]))),
    ...groups.map(({ title, lines }) =>
      section(title, lines.map(({ title, answer, command }) => example(title, answer, command)).join('\n\n')),
    ),
    paint('dim', 'Ctrl-C stops it.'),
  ]
  console.log(`\n${sections.join('\n\n')}\n`)
}

function routeRow({ method, path, callers, policies }: DescribedRoute): readonly string[] {
  return [method, path, callers, paint('dim', policies.join(', '))]
}

function section(title: string, body: string): string {
  return `${paint('bold', title)}\n\n${body}`
}

function example(title: string, answer: string, command: string): string {
  const style = answer.startsWith('2') && !answer.includes('429') ? 'green' : 'yellow'
  return `  ${paint('dim', '#')} ${title} → ${paint(style, answer)}\n  ${command}`
}

/** Columns as wide as their longest cell; the last may be as long as it likes. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(cell.length, widest[column] ?? 0)),
    [],
  )
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ')
  return rows.map((row) => `  ${line(row)}`.trimEnd()).join('\n')
}
