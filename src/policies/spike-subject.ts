import type { Admission, AdmittedClient } from '../decisions/admission.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { HttpRequest } from '../decisions/http-request.js'
import { ClientAddress, type ClientAddressOptions } from '../http/client-address.js'
import { spikeSubjects } from '../limits/subject.js'

/** Whom a request is counted with. */
export type SpikeSubject = (request: HttpRequest, admission: Admission | undefined) => string

interface SpikeSubjectOptions extends ClientAddressOptions {
  readonly api: string
  readonly by: 'address' | 'client' | 'route'
  readonly name: string
}

export function spikeSubject(options: SpikeSubjectOptions): SpikeSubject {
  return makers[options.by](options)
}

const makers: Record<SpikeSubjectOptions['by'], (options: SpikeSubjectOptions) => SpikeSubject> = {
  address: ({ api, name, ...options }) => {
    const address = new ClientAddress({ ...options, nameOf: spikeSubjects(api, name, 'address') })
    return (request) => address.of(request)
  },

  // Who gave an ID alone counts apart, as in every limit: he may be anybody.
  client: ({ api, name }) => {
    const authenticated = spikeSubjects(api, name, 'client')
    const unauthenticated = spikeSubjects(api, name, 'unauthenticated')
    return (_request, admission) => {
      const { id } = clientOf(api, admission)
      return admission?.authenticated === true ? authenticated(id) : unauthenticated(id)
    }
  },

  route: ({ api, name }) => {
    const subject = spikeSubjects(api, name, 'route')('')
    return () => subject
  },
}

function clientOf(api: string, admission: Admission | undefined): AdmittedClient {
  if (admission?.api === api && admission.client !== undefined) return admission.client
  throw new ClienteleFault(
    'ERR_CLIENTELE_NOT_PROTECTED',
    `controlSpikes({ by: 'client' }) of API ${JSON.stringify(api)}: nobody is identified; put a policy that ` +
      "identifies the client for this API before it, or count by: 'address'",
  )
}
