export { testCounter } from './counter.js'
export type { SuiteRunner } from './runner.js'
