import { ClienteleFault } from '../decisions/faults.js'

/**
 * For work that would fill the thread pool: at most `running` at once, at most `waiting` in line, and a 503
 * for who comes after.
 */
export function slowGate(places: { running: number; waiting: number }): <T>(work: () => Promise<T>) => Promise<T> {
  const line: (() => void)[] = []
  let running = 0

  return async (work) => {
    if (running < places.running) running++
    else await enqueue(line, places.waiting)
    try {
      return await work()
    } finally {
      const next = line.shift()
      // The place is handed over, not given back: otherwise a newcomer could slip in between.
      if (next === undefined) running--
      else next()
    }
  }
}

function enqueue(line: (() => void)[], waiting: number): Promise<void> {
  if (line.length >= waiting) {
    throw new ClienteleFault('ERR_CLIENTELE_BUSY', 'Too many checks of chosen secrets are waiting; try again.', {
      retryAfterSeconds: 1,
    })
  }
  return new Promise((resolve) => {
    line.push(resolve)
  })
}
