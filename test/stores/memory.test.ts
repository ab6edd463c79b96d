import { describe, it } from 'vitest'
import { memoryStore } from '../../src/stores/memory.js'
import { testContractStore } from '../../src/testing/contract-store.js'

testContractStore('memoryStore', () => memoryStore(), { describe, it })
