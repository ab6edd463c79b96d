interface Places {
  readonly running: number
  readonly waiting: number
  readonly waitMs: number
}

/**
 * For work that would fill the thread pool: at most `running` at once, at most `waiting` in line and none for longer
 * than `waitMs`, and `full()` as the rejection for who comes after or has waited in vain.
 */
export function slowGate(places: Places, full: () => Error): <T>(work: () => Promise<T>) => Promise<T> {
  const line: (() => void)[] = []
  let running = 0

  return async (work) => {
    if (running < places.running) running++
    else if (line.length < places.waiting) await turn(line, places.waitMs, full)
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

function turn(line: (() => void)[], waitMs: number, full: () => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    const come = (): void => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(() => {
      line.splice(line.indexOf(come), 1)
      reject(full())
    }, waitMs)
    line.push(come)
  })
}
