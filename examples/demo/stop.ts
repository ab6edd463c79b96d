/** Resolves when somebody wants the demo to end. A second signal changes nothing: runners pass theirs on. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        resolve()
      })
    }
    if (process.env.npm_lifecycle_event === 'start') whenOrphaned(resolve)
  })
}

const lookEveryMs = 250

/** A signal to npm itself ends the shell that it runs commands in, and nobody tells the command. */
function whenOrphaned(then: () => void): void {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) then()
  }, lookEveryMs).unref()
}
