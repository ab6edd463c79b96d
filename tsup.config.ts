import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    express: 'src/adapters/express.ts',
    koa: 'src/adapters/koa.ts',
    disk: 'src/stores/disk.ts',
    testing: 'src/testing/index.ts',
  },
  format: 'esm',
  target: 'node20',
  dts: true,
  clean: true,
  // Shared chunks: two entries that are imported together must share one map of admissions.
  splitting: true,
})
