/** What a published suite asks of a test runner: `describe` and `it` of vitest, node:test, mocha or jest. */
export interface SuiteRunner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>) => unknown
}
