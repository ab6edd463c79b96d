import type { ClienteleOptions } from './clientele-options.js'
import type { CheckedReader } from './contracts/reader.js'
import type { ContractReader } from './contracts/store.js'
import type { Policy } from './decisions/policy.js'
import { ForwardingWatch } from './http/forwarding-watch.js'
import type { Counter } from './limits/counter.js'
import { memoryCounter } from './limits/memory-counter.js'
import { WaitingLines } from './limits/waiting-lines.js'
import { usageDesk, type UsageDesk } from './policies/client-usage.js'
import { controlSpikes, type ControlSpikesOptions } from './policies/control-spikes.js'
import { limitBySla, type LimitBySlaOptions } from './policies/limit-by-sla.js'
import type { ToldFirst } from './policies/queue.js'
import { throttleBySla, type ThrottleBySlaOptions } from './policies/throttle-by-sla.js'

/** What counts requests. */
export interface LimitPolicies {
  readonly usage: UsageDesk
  limitBySla(options?: LimitBySlaOptions): Policy
  throttleBySla(options?: ThrottleBySlaOptions): Policy
  controlSpikes(options: ControlSpikesOptions): Policy
  /** All requests that wait for their turn are answered, and none waits from now on. */
  endWaiting(): void
}

export function limitPolicies(options: ClienteleOptions, reader: CheckedReader): LimitPolicies {
  const { api, store, counter = counterOf(store), counterTimeoutMs = 1000, trustedProxies, forwardingHeader } = options
  const context = { api, reader, counter, counterTimeoutMs, trustedProxies, forwardingHeader }
  const lines = new WaitingLines<ToldFirst>()
  const allLines = [lines]
  const newLines = (): WaitingLines<ToldFirst> => {
    const more = new WaitingLines<ToldFirst>()
    allLines.push(more)
    return more
  }
  const spikes = { ...context, forwardingWatch: new ForwardingWatch(api, trustedProxies), newLines }
  const throttling = { ...context, lines }
  return {
    usage: usageDesk(context),
    limitBySla: (own) => limitBySla(context, own),
    throttleBySla: (own) => throttleBySla(throttling, own),
    controlSpikes: (own) => controlSpikes(spikes, own),
    endWaiting: () => {
      for (const each of allLines) each.close()
    },
  }
}

const defaultCounters = new WeakMap<ContractReader, Counter>()

/** One for each store: two `clientele()` of one API must not admit twice the limit. */
function counterOf(store: ContractReader): Counter {
  let counter = defaultCounters.get(store)
  if (counter === undefined) {
    counter = memoryCounter()
    defaultCounters.set(store, counter)
  }
  return counter
}
