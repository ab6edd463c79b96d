import { memoryStore } from '../stores/memory.js'
import type { Generation, ReplicaPlace } from './place.js'

/** Gone with the process: after each start the source has to be there. */
export function memoryPlace(): ReplicaPlace {
  return {
    found: undefined,
    discarded: false,
    requireOwn() {
      // Nobody else can see it.
    },
    stage(): Generation {
      const store = memoryStore()
      return { store, remove: () => store.close() }
    },
    save() {
      // There is nobody who could come after.
    },
    close: () => Promise.resolve(),
  }
}
