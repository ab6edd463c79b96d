/**
 * Who may import whom in `src`, by folder. What a folder may import besides itself stands here once; a new folder
 * that does not stand here may import nothing.
 */
const mayImport = {
  decisions: [],
  runtime: ['decisions'],
  contracts: ['decisions', 'runtime'],
  http: ['decisions', 'runtime'],
  credentials: ['decisions', 'runtime'],
  tokens: ['decisions', 'runtime', 'redis'],
  redis: ['decisions', 'runtime'],
  limits: ['decisions', 'runtime', 'redis'],
  stores: ['contracts', 'decisions', 'runtime', 'redis'],
  policies: ['decisions', 'runtime', 'http', 'contracts', 'credentials', 'tokens', 'limits'],
  replica: ['decisions', 'runtime', 'contracts', 'stores'],
  providers: ['decisions', 'runtime', 'contracts', 'tokens'],
  protection: ['decisions', 'runtime'],
  notifications: ['decisions', 'runtime', 'contracts', 'http'],
  adapters: ['decisions', 'runtime', 'http', 'protection', 'clientele\\.ts$'],
  cli: [
    'decisions',
    'runtime',
    'contracts',
    'stores',
    'redis',
    'limits',
    'http',
    'tokens',
    'providers',
    'notifications',
    'clientele\\.ts$',
  ],
  testing: ['decisions', 'runtime', 'contracts', 'limits'],
}

/** Packages that only these files may import. What stands nowhere here is nobody's. */
const packageOwners = {
  bcryptjs: '^src/contracts/',
  'cli-table3': '^src/cli/',
  commander: '^src/cli/',
  'fastest-levenshtein': '^src/runtime/',
  'ipaddr.js': '^src/http/',
  jose: '^src/tokens/',
  lmdb: '^src/(runtime/disk-engine|limits/disk-records)\\.ts$',
  'lru-cache': '^src/',
  'on-headers': '^src/adapters/',
  'openid-client': '^src/tokens/',
  'temporal-polyfill': '^src/limits/algorithms/',
  yaml: '^src/cli/',
  zod: '^src/',
}

/** Their types, for the adapters alone. */
const frameworks = 'express|koa|@types/(express|koa)[^/]*|@koa/[^/]+'

const packagePath = (names) => `(^|/)node_modules/(@types/)?(${names})(/|$)`
const folders = Object.keys(mayImport).join('|')

const folderRules = Object.entries(mayImport).map(([folder, others]) => ({
  name: `folder-${folder}`,
  comment: `${folder} may import: ${others.join(', ') || 'nothing'}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: [folder, ...others].map((other) => `^src/${other}${other.endsWith('$') ? '' : '/'}`) },
}))

const packageRules = Object.entries(packageOwners).map(([name, owner]) => ({
  name: `package-${name}`,
  comment: `${name} is imported only below ${owner}`,
  severity: 'error',
  from: { path: '^src/', pathNot: owner },
  to: { path: packagePath(name) },
}))

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'types count too: what needs each other belongs together or needs a third',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'an import that leads nowhere escapes every other rule',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'known-folders',
      comment: 'a new folder of src gets its line in mayImport',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(${folders})/` },
      to: {},
    },
    {
      name: 'source-alone',
      comment: 'src is what gets published: nothing in it knows tests, examples or benchmarks',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|examples|bench|docs|dist)/' },
    },
    {
      name: 'frameworks',
      comment: 'only adapters know a framework',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/' },
      to: { path: packagePath(frameworks) },
    },
    {
      name: 'known-packages',
      comment: 'a new dependency gets its line in packageOwners',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules/', pathNot: packagePath(`${Object.keys(packageOwners).join('|')}|${frameworks}|node`) },
    },
    {
      name: 'policies-apart',
      comment: 'no policy imports another; what two of them share stands beside them',
      severity: 'error',
      from: {
        path: '^src/policies/(enforce-client-id|validate-jwt|introspect-token|limit-by-sla|throttle-by-sla|control-spikes|any-of|require-scopes|require-claims|require-authentication)\\.ts$',
      },
      to: {
        path: '^src/policies/(enforce-client-id|validate-jwt|introspect-token|limit-by-sla|throttle-by-sla|control-spikes|any-of|require-scopes|require-claims|require-authentication)\\.ts$',
      },
    },
    ...folderRules,
    ...packageRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    detectProcessBuiltinModuleCalls: true,
    enhancedResolveOptions: {
      conditionNames: ['import', 'types', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
}
