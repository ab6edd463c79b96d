// Takes in one snapshot after the other, each with another version of every contract, and now and then all of them as
// changes; says after each which version it has. Ends by being killed, or after the last version that it is given.
import { writeSync } from 'node:fs'
import { replicate } from '../../../src/replica/replicate.js'
import { SetDigest } from '../../../src/replica/set-digest.js'
import type { ContractSource, SourceAnswer, SourceChange, SourceQuestion } from '../../../src/replica/source.js'
import { momentNow } from '../../../src/runtime/moment.js'
import { contractRecord } from '../../../src/testing/contract-store-fixtures.js'

const [, , path = '', first = '', count = '', last = 'Infinity'] = process.argv
let version = Number(first)

function allOf(now: number): SourceChange[] {
  return Array.from({ length: Number(count) }, (_, index) => {
    const value = contractRecord(`client-${String(index)}`, 'orders', { version: now })
    return { kind: 'contract', key: { client: value.client, api: 'orders' }, value }
  })
}

const source: ContractSource = {
  read({ after }: SourceQuestion): Promise<SourceAnswer> {
    version += 1
    const changes = allOf(version)
    const isSnapshot = after === undefined || version % 3 !== 0
    const answer = { knownAt: momentNow(), count: changes.length, digest: new SetDigest().text, changes }
    return Promise.resolve(
      isSnapshot
        ? { ...answer, kind: 'snapshot', epoch: `epoch-${String(version)}`, sequence: version }
        : { ...answer, kind: 'changes', epoch: after.epoch, sequence: version },
    )
  },
  close: () => undefined,
}

replicate({
  from: source,
  into: { path },
  everyMs: 100,
  maxAgeMs: 3_600_000,
  onEvent: (event) => {
    const reason = event.kind === 'failed' ? ` ${String(event.fault.reason)}` : ''
    writeSync(1, `${event.kind} ${String(version)}${reason}\n`)
    if (version >= Number(last)) process.exit(0)
  },
})
setInterval(() => undefined, 1000)
