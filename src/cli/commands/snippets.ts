import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { ConfigFile } from '../config-file.js'
import { CliError } from '../exit-codes.js'
import { requireRoutes } from '../routes.js'
import { printableJson } from '../safe-text.js'
import { onConfig, type ConfigSession } from '../session.js'
import { mergedText, readDocument } from '../snippets/merge-document.js'
import { openApiAdditions } from '../snippets/openapi.js'
import { ramlLibrary } from '../snippets/raml.js'
import { snippetOf, type RouteSnippet } from '../snippets/route-snippet.js'

interface SnippetOptions {
  readonly api?: string
  readonly merge?: string
  readonly basePath?: string
}

const api = ['--api <api>', 'only what the policies of this API add'] as const
const basePath = [
  '--base-path <path>',
  'what stands before the paths of the description, and is left out there',
] as const

export function addSnippets(program: Command): void {
  onConfig(
    program
      .command('openapi')
      .description('what the policies of a config file add to an OpenAPI 3.1 document: schemes, answers, header fields')
      .option(...api)
      .option('--merge <document>', 'a document, YAML or JSON, that it is added to; what is there stays as it is')
      .option(...basePath),
    openapi,
  )
  onConfig(
    program
      .command('raml')
      .description('the same as traits of RAML 1.0')
      .option(...api)
      .option(...basePath),
    raml,
  )
}

async function openapi({ config, print }: ConfigSession, options: SnippetOptions): Promise<void> {
  const snippets = snippetsOf(config, options)
  const title = options.api ?? 'API'
  if (options.merge !== undefined) {
    const file = readDocument(options.merge)
    await print.raw(mergedText(file, openApiAdditions(snippets, title, file.content)))
    return
  }
  const document = openApiAdditions(snippets, title)
  await print.raw(
    print.json
      ? printableJson(document, 2) + '\n'
      : stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }),
  )
}

async function raml({ config, print }: ConfigSession, options: SnippetOptions): Promise<void> {
  await print.raw(ramlLibrary(snippetsOf(config, options), options.api ?? 'policies'))
}

function snippetsOf(config: ConfigFile, { api, basePath = '' }: SnippetOptions): readonly RouteSnippet[] {
  const snippets = requireRoutes(config).flatMap((route) => snippetOf(route, api) ?? [])
  if (snippets.length === 0) {
    throw new CliError('notFound', `${config.path}: no route has a policy${api === undefined ? '' : ' of this API'}`)
  }
  const base = basePath.replace(/\/$/, '')
  return snippets.map((snippet) => {
    const below = base !== '' && snippet.path.startsWith(`${base}/`)
    return below ? { ...snippet, path: snippet.path.slice(base.length) } : snippet
  })
}
