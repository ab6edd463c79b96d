import { commit } from '../contracts/lifecycle/audit-log.js'
import { edited, found, stateFault, stepOn } from '../contracts/lifecycle/common.js'
import type { LifecycleStep } from '../contracts/model.js'
import type { Registration } from '../contracts/registration.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { IssuedClient } from './client-provider.js'
import { nothingWasDone } from './provider-faults.js'
import { changeOf, type Registry } from './registry.js'

export function settled(registration: Registration): Registration {
  if (registration.state === 'deleting') throw stateFault('The registration is being removed.')
  if (registration.state === 'registering') throw stateFault('The registration broke off; repair it first.')
  return registration
}

interface Attempt {
  readonly state: 'updating' | 'rotating'
  readonly step: LifecycleStep
  readonly actor: string
}

/** The record says what is under way, then the issuer is asked. A refusal puts the record back. */
export async function asked(
  { store }: Registry,
  before: Registration,
  { state, step, actor }: Attempt,
  work: (registration: Registration) => Promise<IssuedClient>,
): Promise<{ readonly issued: IssuedClient; readonly marked: Registration }> {
  const marked = edited('registration', before, { actor }, { state })
  await commit(store, [changeOf(before, marked)], [stepOn('registration', marked, step)])
  try {
    const issued = await work(marked)
    // An answer about another client is no answer, whoever sent it.
    if (issued.clientId === before.clientId) return { issued, marked }
  } catch (error) {
    if (nothingWasDone(error)) await putBack(store, marked, step, actor).catch(() => undefined)
    throw error
  }
  throw new ClienteleFault(
    'ERR_CLIENTELE_ISSUER',
    'The issuer answers with another client ID than it was asked about.',
    {
      reason: 'answer',
    },
  )
}

/** A removal, or a repair, that came while the issuer was asked has the last word. */
export async function asMarked(store: Registry['store'], { id, state }: Registration): Promise<Registration> {
  const now = await found(store, 'registration', { id })
  if (now.state === state) return now
  throw stateFault(`The registration has gone from ${state} to ${now.state} meanwhile, and stays so.`)
}

async function putBack(
  store: Registry['store'],
  marked: Registration,
  step: LifecycleStep,
  actor: string,
): Promise<void> {
  const now = await asMarked(store, marked)
  const after = edited('registration', now, { actor }, { state: 'active' })
  await commit(store, [changeOf(now, after)], [{ ...stepOn('registration', after, step), state: 'refused' }])
}
