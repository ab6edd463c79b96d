/**
 * For work that would fill the thread pool: at most `running` at once, at most `waiting` in line, and `full()`
 * as the rejection for who comes after.
 */
export function slowGate(
  places: { readonly running: number; readonly waiting: number },
  full: () => Error,
): <T>(work: () => Promise<T>) => Promise<T> {
  const line: (() => void)[] = []
  let running = 0

  return async (work) => {
    if (running < places.running) running++
    else if (line.length < places.waiting) await turn(line)
    else throw full()
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

function turn(line: (() => void)[]): Promise<void> {
  return new Promise((resolve) => {
    line.push(resolve)
  })
}
