import { defineConfig } from 'tsup'
import { packageEntries } from './package-entries.js'

export default defineConfig({
  entry: Object.fromEntries(packageEntries.map(({ output, source }) => [output, source])),
  format: 'esm',
  target: 'node20',
  // TypeScript writes the types of a user's own exports by names that it can import. Most are those of the main entry,
  // which it looks through only if something has led it there.
  dts: { banner: "import type {} from './index.js'" },
  clean: true,
  // Shared chunks: two entries that are imported together must share one map of admissions.
  splitting: true,
})
