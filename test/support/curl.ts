import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface CurlAnswer {
  readonly status: number
  /** As it came over the wire, fields and all. */
  readonly head: string
  readonly body: string
}

/** One request of the program, with its own parameters; 0 where the server has not answered. */
export async function curl(...parameters: readonly string[]): Promise<CurlAnswer> {
  const { stdout } = await run('curl', ['-s', '-i', '--max-time', '20', ...parameters])
  const [head = '', ...body] = stdout.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1] ?? 0), head, body: body.join('\r\n\r\n') }
}
