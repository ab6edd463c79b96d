import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A fence of a page, and the file that the words above it say it should be saved as. */
export interface Step {
  readonly language: string
  readonly code: string
  readonly saveAs: string | undefined
}

export function stepsOf(text: string): Step[] {
  let read = 0
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [whole, language = '', code = ''] = match
    const above = text.slice(read, match.index)
    read = match.index + whole.length
    return { language, code, saveAs: /[Ss]ave (?:this )?as `([^`]+)`/.exec(above)?.[1] }
  })
}

/** Ports of a page are taken by others while tests run. */
export function atPort(text: string, port: number): string {
  return text.replaceAll('3000', String(port))
}

export function save(folder: string, { saveAs = '', code }: Step, port: number): Promise<void> {
  return writeFile(join(folder, saveAs), atPort(code, port))
}

/** Whatever a page prints of an answer must be in it, in this order; seconds run on, and other fields may stand between. */
export function shownIn(shown: string, printed: string): boolean {
  const lines = comparable(printed)
  let from = 0
  return comparable(shown).every((line) => {
    const found = lines.indexOf(line, from)
    from = found + 1
    return found !== -1
  })
}

function comparable(text: string): string[] {
  return text
    .replaceAll('\r', '')
    .replaceAll(/(?<=^Retry-After: |;t=)\d+$/gm, 'seconds')
    .split('\n')
    .filter((line) => line !== '')
}
