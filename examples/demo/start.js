import { register } from 'tsx/esm/api'

// Without the project's tsconfig, which maps the package to its sources: the demo uses what was built, as a user would.
register({ tsconfig: false })
await import('./main.ts')
