/**
 * Where members can be added to a framework's requests and responses. Express puts prototypes of its own between
 * an object and Node's class, and exchanges them when a request moves between applications: the lowest of them,
 * which all applications share, is the one to extend. Adding to the object itself instead would cost more than all
 * the rest of an admission (about 1 µs on Node 20), and the prototype of Node's class is everybody's. `undefined`
 * where there is no such prototype.
 */
export function sharedPrototypeOf(target: object): object | undefined {
  let shared: object | undefined
  let prototype = Object.getPrototypeOf(target) as object | null
  while (prototype !== null && !Object.hasOwn(prototype, 'constructor')) {
    shared = prototype
    prototype = Object.getPrototypeOf(prototype) as object | null
  }
  return shared
}

/**
 * Shows an object of a framework what the policies have established, under the name `clientele`: to look at and
 * not to put in. A write comes to nothing, rather than to a TypeError in somebody's code.
 */
export function view<Target extends object, T>(read: (target: Target) => T): (target: Target) => void {
  const descriptor: PropertyDescriptor & ThisType<Target> = {
    configurable: true,
    get() {
      return read(this)
    },
    set() {},
  }
  const extended = new WeakSet<object>()

  return (target) => {
    // What somebody has put on the object itself would stand in front.
    if (Object.hasOwn(target, 'clientele')) Reflect.deleteProperty(target, 'clientele')
    const direct = Object.getPrototypeOf(target) as object
    if (extended.has(direct)) return
    const shared = sharedPrototypeOf(target)
    Object.defineProperty(shared ?? target, 'clientele', descriptor)
    if (shared !== undefined) extended.add(shared).add(direct)
  }
}
