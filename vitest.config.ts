import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { packageEntries } from './package-entries.js'

const ofThePackage = ['test/package/**/*.test.ts']
/** About texts alone, which no version of Node changes. */
const ofTheHouse = ['test/architecture.test.ts', 'test/documentation.test.ts', 'test/ci/**/*.test.ts']
const reporters = ['default', './.ci/second-tries.mjs']
const inCi = process.env.CI !== undefined

export default defineConfig({
  resolve: {
    alias: packageEntries.map(({ name, source }) => ({ find: new RegExp(`^${name}$`), replacement: source })),
  },
  test: {
    reporters: inCi ? [...reporters, ['json', { outputFile: 'coverage/tests.json' }]] : reporters,
    // Bounds of time are tested with processes and servers of their own, on machines that may be busy.
    retry: 1,
    // Many tests wait for a clock, a process or a server: more files at once than there are processors.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: 'source', include: ['test/**/*.test.ts'], exclude: [...ofThePackage, ...ofTheHouse] },
      },
      { extends: true, test: { name: 'house', include: ofTheHouse } },
      // Apart, since what is tested here is built and packed first: who runs other tests need not wait for that.
      {
        extends: true,
        test: {
          name: 'package',
          include: ofThePackage,
          globalSetup: 'test/package/support/pack.ts',
          // Compilers and processes of their own, on machines that may be busy.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
