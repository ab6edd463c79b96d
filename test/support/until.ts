import { setTimeout as sleep } from 'node:timers/promises'

const patienceMs = 20_000

/** Looks again and again, since nobody knows how long a busy machine takes. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const begun = Date.now()
  while (!(await isSo())) {
    if (Date.now() - begun > patienceMs) throw new Error('waited in vain')
    await sleep(10)
  }
}
