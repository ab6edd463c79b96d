/** Waiting that can be cut short. Keeps no process alive. */
export class Pause {
  #end: (() => void) | undefined
  #isOver = false

  /** One waits at a time. */
  wait(ms: number): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => {
          this.end()
        },
        Math.max(0, ms),
      ).unref()
      this.#end = () => {
        clearTimeout(timer)
        this.#end = undefined
        resolve()
      }
    })
  }

  end(): void {
    this.#end?.()
  }

  /** Nobody waits any more, now and later. */
  stop(): void {
    this.#isOver = true
    this.end()
  }
}
