import type { FaultCode } from '../decisions/faults.js'

/** What scripts go by. docs/reference/cli.md is compared with this table by a test. */
export const exitCodes = {
  done: { code: 0, meaning: 'Done.' },
  failed: { code: 1, meaning: 'Something that should not happen.' },
  wrongInput: { code: 2, meaning: 'The command line, a file or a value is wrong. Nothing was changed.' },
  notFound: { code: 3, meaning: 'What is named does not exist.' },
  wrongState: { code: 4, meaning: 'The state does not allow it.' },
  conflict: { code: 5, meaning: 'Somebody else has changed it meanwhile: look again.' },
  outage: { code: 6, meaning: 'The store, or something else that is needed, does not answer.' },
  different: { code: 7, meaning: '`drift` and `doctor`: something is not as it should be.' },
} as const

export type ExitName = keyof typeof exitCodes

/** Faults that are not here are outages, or ours. */
export const exitOfFault: Partial<Record<FaultCode, ExitName>> = {
  ERR_CLIENTELE_OPTIONS: 'wrongInput',
  ERR_CLIENTELE_INVALID: 'wrongInput',
  ERR_CLIENTELE_NOT_FOUND: 'notFound',
  ERR_CLIENTELE_STATE: 'wrongState',
  ERR_CLIENTELE_CONFLICT: 'conflict',
  ERR_CLIENTELE_PROVIDER: 'wrongState',
}

/** An end of the command that people are told of, in words that hold nothing of a secret. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exit: ExitName

  constructor(exit: ExitName, message: string) {
    super(message)
    this.exit = exit
  }
}

export function wrongInput(message: string): CliError {
  return new CliError('wrongInput', message)
}
