/**
 * Gives the requests and responses of a framework further members. Each application of Express and Koa has
 * prototypes of its own: members go there, once, because adding a property to an object whose prototype was
 * exchanged costs more than all the rest of an admission (about 1 µs on Node 20). The prototype of a class may be
 * everybody's and stays as it is; there the object itself gets them.
 */
export function extension<Target extends object>(
  members: PropertyDescriptorMap & ThisType<Target>,
): (target: Target) => void {
  const extended = new WeakSet<object>()
  const names = Object.keys(members)

  return (target) => {
    // What somebody has put on the object itself would stand in front.
    for (const name of names) if (Object.hasOwn(target, name)) Reflect.deleteProperty(target, name)
    const prototype = Object.getPrototypeOf(target) as object
    if (extended.has(prototype)) return
    if (Object.hasOwn(prototype, 'constructor')) {
      Object.defineProperties(target, members)
      return
    }
    Object.defineProperties(prototype, members)
    extended.add(prototype)
  }
}

/** `clientele`, to look at and not to put in: a write comes to nothing, rather than to a TypeError. */
export function view<Target extends object, T>(read: (target: Target) => T): (target: Target) => void {
  return extension<Target>({
    clientele: {
      configurable: true,
      get() {
        return read(this)
      },
      set() {},
    },
  })
}
