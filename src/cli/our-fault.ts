import type { ClienteleFault } from '../decisions/faults.js'

/**
 * By its name: a config file imports the package that its project has installed, which may be another copy than the
 * one that the command is of. Messages of such faults hold no values.
 */
export function isOurFault(error: unknown): error is ClienteleFault {
  return error instanceof Error && error.name === 'ClienteleFault' && 'code' in error && 'status' in error
}
