import type { ContractStore, RecordKind } from '../contracts/store.js'

/** Where the store can tell: calls when there may be new entries. Who marks his place there is nobody's business. */
export function onLogChange(
  store: ContractStore,
  changed: () => void,
  kinds: readonly RecordKind[] = ['audit-head'],
): () => void {
  const stop = store.watch?.((keys) => {
    if (keys.some(({ kind }) => kinds.includes(kind))) changed()
  }, changed)
  return stop ?? (() => undefined)
}
