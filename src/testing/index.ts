export { testContractStore } from './contract-store.js'
export type { ContractStoreSuite } from './contract-store-fixtures.js'
export { testCounter, type CounterSuiteOptions } from './counter.js'
export type { SuiteRunner } from './runner.js'
