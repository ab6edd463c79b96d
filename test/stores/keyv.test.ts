import { describeEachMajor } from './keyv-majors.js'
import { testKeyvBackends } from './keyv-backends.js'

describeEachMajor('keyvStore', testKeyvBackends)
