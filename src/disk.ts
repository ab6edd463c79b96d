// What needs the disk engine
export { diskCounter, type DiskCounter, type DiskCounterOptions } from './limits/disk-counter.js'
export { diskStore, type DiskStore, type DiskStoreOptions } from './stores/disk.js'
