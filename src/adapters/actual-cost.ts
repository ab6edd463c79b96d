import type { IncomingMessage } from 'node:http'
import { ClienteleFault } from '../decisions/faults.js'
import { exchangeOf } from './exchange.js'

/** Takes the word of a handler for what its request came to; `Request` is what the framework's handlers get. */
export type SetActualCost<Request> =
  /**
   * For a handler that learns what a request was worth. The charge is put right when the answer is over; the last word
   * counts, and never more than was charged.
   *
   * @throws ClienteleFault `ERR_CLIENTELE_NOT_PROTECTED` (500) when no limit of this request waits for the word
   * (`actualCost: 'handler'`), `ERR_CLIENTELE_COST` (500) for what is no finite number of 0 or more
   */
  (this: void, request: Request, cost: number) => void

export function actualCostWriter<Request>(rawOf: (request: Request) => IncomingMessage): SetActualCost<Request> {
  return (request, cost) => {
    const exchange = exchangeOf(rawOf(request))
    if (exchange?.awaitsActualCost !== true) {
      const remedy = "give limitBySla() the option actualCost: 'handler', and put it before the handler"
      throw new ClienteleFault('ERR_CLIENTELE_NOT_PROTECTED', `setActualCost(): no limit waits for it; ${remedy}`)
    }
    if (!(typeof cost === 'number' && cost >= 0 && cost < Infinity)) {
      throw new ClienteleFault('ERR_CLIENTELE_COST', 'setActualCost(): expected a finite number, 0 or more')
    }
    exchange.actualCost = cost
  }
}
