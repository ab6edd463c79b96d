import { resolve } from 'node:path'

/** What whoever starts the demo can put right. The message is all they see. */
export class DemoError extends Error {
  override readonly name = 'DemoError'
}

export interface Settings {
  readonly dataFolder: string
  readonly port: number
  readonly issuerPort: number
  /** Where the orders API is. */
  readonly url: string
  /** Where the OpenID provider is; its tokens have the same text in `iss`. */
  readonly issuer: string
}

export const host = '127.0.0.1'

export function readSettings({ PORT, DATA_DIR }: NodeJS.ProcessEnv): Settings {
  const port = PORT === undefined || PORT === '' ? 3000 : Number(PORT)
  if (!Number.isInteger(port) || port < 1 || port > 65_534) {
    throw new DemoError('PORT must be a whole number from 1 to 65534: the demo uses it and the next one.')
  }
  const dataFolder = resolve(DATA_DIR === undefined || DATA_DIR === '' ? './data' : DATA_DIR)
  const issuerPort = port + 1
  return { dataFolder, port, issuerPort, url: `http://${host}:${port}`, issuer: `http://${host}:${issuerPort}` }
}
