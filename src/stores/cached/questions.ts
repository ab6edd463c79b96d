import { isDeepStrictEqual } from 'node:util'
import { LRUCache } from 'lru-cache'
import { readRecord } from '../../contracts/check-record.js'
import type { Client, Contract, Tier } from '../../contracts/model.js'
import type { ContractReader, Records } from '../../contracts/store.js'
import { ClienteleFault } from '../../decisions/faults.js'
import { earlier, momentNow, type Moment } from '../../runtime/moment.js'
import type { TokenBucket } from '../../runtime/token-bucket.js'
import { isRecordOf } from '../check-changes.js'
import { noGroup, type Hints } from './hints.js'
import type { Question } from './question.js'

/** Clients with several identities whose versions are kept side by side. */
const mostVersions = 10_000

/** Which client holds an identity: a group per issuer, by client ID. */
export function clientQuestion(reader: ContractReader, hints: Hints, budget: TokenBucket): Question<Client> {
  const versions = new LRUCache<string, number>({ max: mostVersions })

  /** A client is kept once for each identity, and none of them may decide on less than another has seen. */
  function noteVersion({ id, version, identities }: Client, moment: number): void {
    if (identities.length < 2) return
    const seen = versions.get(id) ?? version
    if (version < seen) throw olderThanSeen()
    versions.set(id, version)
    if (version > seen) hints.mark('client', { group: noGroup, name: id }, moment)
  }

  return {
    ends: endsOf(reader),
    ask: ({ group, name }) => reader.findClient({ issuer: group, clientId: name }),
    read: (found) => readRecord('client', found),
    newer(before, found, moment) {
      const client = newerOf('client', before, found)
      noteVersion(client, moment)
      return client
    },
    hintedAt({ group, name }, answer) {
      const identityAt = hints.about('identity', group, name)
      return answer === undefined ? identityAt : Math.max(identityAt, hints.about('client', noGroup, answer.id))
    },
    budget,
  }
}

/** A group per API, by client. */
export function contractQuestion(reader: ContractReader, hints: Hints): Question<Contract> {
  return {
    ends: endsOf(reader),
    ask: ({ group, name }) => reader.findContract(name, group),
    read: (found) => readRecord('contract', found),
    newer: (before, found) => newerOf('contract', before, found),
    hintedAt: ({ group, name }) => hints.about('contract', group, name),
  }
}

/** A group per API, by name. */
export function tierQuestion(reader: ContractReader, hints: Hints): Question<Tier> {
  return {
    ends: endsOf(reader),
    ask: ({ group, name }) => reader.findTier(group, name),
    read: (found) => readRecord('tier', found),
    newer: (before, found) => newerOf('tier', before, found),
    hintedAt: ({ group, name }) => hints.about('tier', group, name),
  }
}

/** A cache over a copy must not make the copy's records live longer than they may. */
function endsOf(reader: ContractReader): (() => Moment) | undefined {
  const freshness = reader.freshness?.bind(reader)
  return freshness && (() => earlier(momentNow(), -freshness().leftMs))
}

/** An equal record stays the old object, so that whatever was derived from it stays good. */
function newerOf<K extends 'client' | 'contract' | 'tier'>(
  kind: K,
  before: Records[K]['value'] | undefined,
  found: Records[K]['value'],
): Records[K]['value'] {
  if (before === undefined || before === found || !isRecordOf(kind, before, found)) return found
  if (found.version < before.version) throw olderThanSeen()
  return found.version === before.version && isDeepStrictEqual(found, before) ? before : found
}

/** A store that goes back in time, as a backup that was put in its place does, is one that does not know. */
function olderThanSeen(): ClienteleFault {
  const message = 'The contract store answered with an older version of a record than this process has seen.'
  return new ClienteleFault('ERR_CLIENTELE_STORE', message)
}
