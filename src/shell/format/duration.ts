const UNITS = [
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['min', 60],
  ['sec', 1],
] as const

/** `4 weeks 46 mins 53 secs`, as status shows the age of the oldest message. */
export const longAge = (seconds: number): string => {
  let rest = Math.max(0, Math.floor(seconds))
  const parts = UNITS.flatMap(([name, size]) => {
    const n = Math.floor(rest / size)
    rest -= n * size
    return n === 0 ? [] : [`${n} ${name}${n === 1 ? '' : 's'}`]
  })
  return parts.length === 0 ? '0 secs' : parts.join(' ')
}

/** `22h 45m 29s`, `3d 2h 0m 1s`. */
export const upTime = (seconds: number): string => {
  const s = Math.max(0, Math.floor(seconds))
  const parts = [Math.floor(s / 86_400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60, s % 60]
  const first = parts.findIndex((n) => n > 0)
  return parts.flatMap((n, i) => (i >= first && first >= 0 ? [`${n}${'dhms'.charAt(i)}`] : [])).join(' ') || '0s'
}

/** `2d`, `1h`, `90s`: a time to live in its largest whole unit. */
export const shortTtl = (seconds: number): string => {
  for (const [size, unit] of [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'm'],
  ] as const)
    if (seconds >= size && seconds % size === 0) return `${seconds / size}${unit}`
  return `${seconds}s`
}

/** `0s`, `15m`, `2h`, `3d`: how long, in the largest unit of which there is one. */
export const longestUnit = (seconds: number): string => {
  const s = Math.max(0, Math.floor(seconds))
  const unit = (
    [
      [86_400, 'd'],
      [3600, 'h'],
      [60, 'm'],
    ] as const
  ).find(([size]) => s >= size)
  return unit === undefined ? `${s}s` : `${Math.floor(s / unit[0])}${unit[1]}`
}
