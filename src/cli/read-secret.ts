import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Option, type Command } from 'commander'
import { wrongInput } from './exit-codes.js'

export interface SecretSource {
  readonly secretStdin?: boolean
  readonly secretFile?: string
  readonly secretPrompt?: boolean
}

/** Every way in but the command line itself, which any user of the machine can read. */
export function withSecretOptions(command: Command): Command {
  return command
    .addOption(new Option('--secret-stdin', 'read the secret from standard input').conflicts(['secretFile']))
    .addOption(new Option('--secret-file <file>', 'read the secret from a file').conflicts(['secretPrompt']))
    .addOption(new Option('--secret-prompt', 'ask for the secret').conflicts(['secretStdin']))
}

/** Without the line feed that editors and `echo` add. `undefined`: none was offered. */
export async function readSecret(source: SecretSource): Promise<string | undefined> {
  if (source.secretStdin === true) return withoutLineEnd(await text(process.stdin))
  if (source.secretFile !== undefined) return withoutLineEnd(readFile(source.secretFile))
  return source.secretPrompt === true ? prompt() : undefined
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw wrongInput(`--secret-file: ${path} cannot be read`)
  }
}

function withoutLineEnd(secret: string): string {
  return secret.replace(/\r?\n$/, '')
}

async function prompt(): Promise<string> {
  if (!process.stdin.isTTY) throw wrongInput('--secret-prompt: there is no terminal; use --secret-stdin')
  process.stderr.write('Secret (not shown): ')
  const nowhere = new Writable({
    write(_chunk, _encoding, done) {
      done()
    },
  })
  const line = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  try {
    return await line.question('')
  } finally {
    line.close()
    process.stderr.write('\n')
  }
}
