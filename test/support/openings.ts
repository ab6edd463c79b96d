import { expect } from 'vitest'

export type Opening = string | ((...given: never[]) => unknown)
type Assert = (app: object, options: { readonly open: readonly Opening[] }) => void

/** What the fault of `assertProtected` names as unguarded; `[]` for none. */
export function openings(check: Assert, app: object, open: readonly Opening[] = []): string[] {
  try {
    check(app, { open })
    return []
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_CLIENTELE_NOT_PROTECTED' })
    const { message } = error as Error
    return /no policy guards (.*) \(put one/.exec(message)?.[1]?.split(', ') ?? [message]
  }
}
