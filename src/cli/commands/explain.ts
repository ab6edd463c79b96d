import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { InvalidArgumentError, type Command } from 'commander'
import { wrongInput } from '../exit-codes.js'
import { captureText } from '../explain/captured-text.js'
import { explainAll, type Explanation } from '../explain/explanation.js'
import { requireRoutes, routeFor } from '../routes.js'
import { onConfig, type ConfigSession } from '../session.js'

interface ExplainOptions {
  readonly method?: string
  readonly path?: string
  readonly from: string
  readonly tls?: boolean
}

export function addExplain(program: Command): void {
  onConfig(
    program
      .command('explain [file]')
      .description(
        'what each policy of a config file would say to a request, and why; it spends nothing. Without a file the request comes by standard input',
      )
      .option('--path <path>', 'the file holds header lines alone, and this is the path', pathAlone)
      .option('--method <method>', 'with --path: the method; otherwise GET')
      .option('--from <address>', 'the address of the caller', address, '127.0.0.1')
      .option('--tls', 'it came by TLS'),
    explain,
  )
}

/** A query may hold a secret, which others would see on the command line. */
function pathAlone(text: string): string {
  if (/^\/[^\s?#]*$/.test(text)) return text
  throw new InvalidArgumentError('Expected a path without a query: write a whole request with its query into the file.')
}

function address(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('Expected an IP address.')
  return text
}

async function explain({ config, print }: ConfigSession, options: ExplainOptions, file?: string): Promise<void> {
  requireRoutes(config)
  const { path, method = 'GET', from, tls = false } = options
  const text = file === undefined || file === '-' ? await buffer(process.stdin) : read(file)
  const whole = path === undefined ? text : Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\n`), text])
  const request = await captureText(whole, { address: from, encrypted: tls })
  const [target = '/'] = request.url.split('?')
  const route = routeFor(config, request.method, target)
  const policies = await explainAll(route.guards, request)
  const end = policies.find(({ verdict }) => ['absent', 'refused', 'fault'].includes(verdict))
  const answer = end && { status: end.status ?? 500, code: end.code }
  if (print.json) {
    print.record({ route: `${route.method} ${route.path}`, answer: answer ?? null, policies })
    return
  }
  show(print, policies)
  print.note(
    answer === undefined ? 'The request would reach its handler.' : `The answer would be ${String(answer.status)}.`,
  )
}

function show(print: ConfigSession['print'], policies: readonly Explanation[]): void {
  print.list(policies, [
    ['API', ({ api }) => api],
    ['POLICY', ({ policy }) => policy],
    ['VERDICT', ({ verdict }) => verdict],
    ['STATUS', ({ status }) => status],
    ['CODE', ({ code }) => code],
    ['WHY', ({ why }) => why],
  ])
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch {
    throw wrongInput(`${file} cannot be read`)
  }
}
