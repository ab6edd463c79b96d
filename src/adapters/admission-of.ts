import type { IncomingMessage } from 'node:http'
import type { Admission } from '../decisions/admission.js'
import { ClienteleFault } from '../decisions/faults.js'
import { exchangeOf } from './exchange.js'

/** An admission of which some members are known to be there. */
export type AdmissionWith<K extends keyof Admission> = Admission & { readonly [N in K]-?: NonNullable<Admission[N]> }

/** Reads what the policies have established; `Request` is what the framework's handlers get. */
export interface AdmissionOf<Request> {
  /**
   * Frozen. Name the members that a handler relies on, and they are typed as present.
   *
   * @throws ClienteleFault `ERR_CLIENTELE_NOT_PROTECTED` (500) when no policy of this API has run, or none that
   * establishes a named member.
   */
  <K extends keyof Admission = never>(this: void, request: Request, ...members: readonly K[]): AdmissionWith<K>
}

export function admissionReader<Request>(
  api: string,
  rawOf: (request: Request) => IncomingMessage,
): AdmissionOf<Request> {
  return <K extends keyof Admission>(request: Request, ...members: readonly K[]): AdmissionWith<K> => {
    const admission = exchangeOf(rawOf(request))?.admissionFor(api)
    if (admission === undefined) {
      throw unprotected(`no policy of the API "${api}" has admitted this request; put one before the handler`)
    }
    if (!has(admission, members)) {
      throw unprotected(`the policies before this handler establish no ${missing(admission, members)}`)
    }
    return admission
  }
}

function has<K extends keyof Admission>(admission: Admission, members: readonly K[]): admission is AdmissionWith<K> {
  return missing(admission, members) === ''
}

function missing(admission: Admission, members: readonly (keyof Admission)[]): string {
  return members.filter((member) => admission[member] === undefined).join(', ')
}

function unprotected(reason: string): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_NOT_PROTECTED', `admissionOf(): ${reason}`)
}
