/** Wraps ports of one process: after `steps` asynchronous calls over all of them, it is dead and every call fails. */
export const mortal = (steps: number) => {
  let left = steps
  const died = (): boolean => left <= 0
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get: (target, name, receiver) => {
        const member: unknown = Reflect.get(target, name, receiver)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => {
          if (died()) throw new Error('killed')
          const result: unknown = Reflect.apply(member, target, args)
          if (!(result instanceof Promise)) return result
          // The call has its effect; whether the caller lives to see it is another matter.
          return result.then((value: unknown) => {
            if (died()) throw new Error('killed')
            left -= 1
            if (died()) throw new Error('killed')
            return value
          })
        }
      },
    })
  return { wrap, died }
}
