import { ClienteleFault } from '../decisions/faults.js'
import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import { deadline } from '../runtime/deadline.js'

/** Makes the fault of a question that got no answer; `what` is the end of a sentence. */
export type Unanswered = (what: string, cause?: unknown) => ClienteleFault

/**
 * For a question to somebody else's function on which a token hangs: it ends, answers with a boolean, or fails with a
 * `ClienteleFault`. Whoever cannot tell has not said "no": anything but true and false is an outage.
 */
export function yesOrNo<Asked extends readonly unknown[]>(
  ask: (...asked: Asked) => MaybePromise<boolean>,
  timeoutMs: number,
  unanswered: Unanswered,
): (...asked: Asked) => MaybePromise<boolean> {
  const checked = (answer: unknown): boolean => {
    if (typeof answer === 'boolean') return answer
    throw unanswered('answered neither true nor false')
  }
  const failed = (error: unknown): never => {
    throw error instanceof ClienteleFault ? error : unanswered('failed', error)
  }
  return (...asked) => {
    try {
      const answer = ask(...asked)
      if (!isPromise(answer)) return checked(answer)
      return deadline(Promise.resolve(answer), timeoutMs, () => unanswered('took too long')).then(checked, failed)
    } catch (error) {
      return failed(error)
    }
  }
}
