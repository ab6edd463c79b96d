import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^clientele$/, replacement: source('index.ts') },
      { find: /^clientele\/(express|koa)$/, replacement: source('adapters/$1.ts') },
      { find: /^clientele\/disk$/, replacement: source('stores/disk.ts') },
      { find: /^clientele\/testing$/, replacement: source('testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    reporters:
      process.env.CI === undefined ? ['default'] : ['default', ['json', { outputFile: 'coverage/tests.json' }]],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
