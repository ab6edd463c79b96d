/** Resolves when somebody wants the demo to end. A second signal changes nothing: runners pass theirs on. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        resolve()
      })
    }
  })
}
