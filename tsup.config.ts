import { defineConfig } from 'tsup'
import { packageEntries } from './package-entries.js'

const entries = Object.fromEntries(packageEntries.map(({ output, source }) => [output, source]))

export default defineConfig({
  // The command line is started, not imported.
  entry: { ...entries, cli: 'src/cli/main.ts' },
  format: 'esm',
  target: 'node20',
  // TypeScript writes the types of a user's own exports by names that it can import. Most are those of the main entry,
  // which it looks through only if something has led it there.
  dts: { entry: entries, banner: "import type {} from './index.js'" },
  clean: true,
  // Shared chunks: two entries that are imported together must share one map of admissions.
  splitting: true,
})
