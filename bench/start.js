import { register } from 'tsx/esm/api'

// Without the project's tsconfig, which maps the package to its sources: what is measured is what was built.
register({ tsconfig: false })
await import('./main.ts')
