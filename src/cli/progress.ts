const barWidth = 30

/** Tells how far long work is, on a terminal alone. */
export interface Progress {
  at(done: number): void
  end(): void
}

const silent: Progress = { at: () => undefined, end: () => undefined }

export function progressOn(out: NodeJS.WriteStream, what: string, total: number): Progress {
  if (!out.isTTY || total === 0) return silent
  let shown = -1
  return {
    at(done) {
      const percent = Math.floor((100 * done) / total)
      if (percent === shown) return
      shown = percent
      const filled = Math.round((barWidth * percent) / 100)
      const bar = '#'.repeat(filled) + '-'.repeat(barWidth - filled)
      out.write(`\r${what} [${bar}] ${String(percent)} % (${String(done)} of ${String(total)})`)
    },
    end() {
      out.write('\n')
    },
  }
}
