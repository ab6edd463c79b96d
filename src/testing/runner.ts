/** What a published suite asks of a test runner: `describe` and `it` of vitest, node:test, mocha or jest. */
export interface SuiteRunner {
  describe(name: string, body: () => void): unknown
  it(name: string, body: () => Promise<void>): unknown
}
