import { describe, expect, it } from 'vitest'
import { geolocation } from '../../../src/config/sections/geolocation.ts'
import { createEventBus } from '../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../src/events/event.ts'
import { createGeolocation } from '../../../src/services/geolocation.ts'
import { TestConfig } from '../../support/config-reader.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'

const world = (file = 'c.mmdb') => {
  const clock = new FakeClock()
  const config = new TestConfig().set(geolocation, { file })
  const disk = new Map<string, string | Error>()
  const events = createEventBus(clock)
  const told: ApplianceEvent[] = []
  events.subscribe((_at, e) => told.push(e))
  let opened = 0
  const service = createGeolocation({
    config,
    clock,
    events,
    files: {
      stamp: (name) => Promise.resolve(disk.has(name) ? String(disk.get(name)) : null),
      open: (name) => {
        opened++
        const content = disk.get(name) ?? new Error('there is no such file')
        if (content instanceof Error) return Promise.reject(content)
        return Promise.resolve({ type: 'T', builtAt: new Date(0), codeOf: () => (content === '' ? null : content) })
      },
    },
  })
  return { clock, config, disk, service, told, opened: () => opened }
}

describe('the country of an address', () => {
  it('is not enabled without a database, and costs nothing', () => {
    const { service, opened } = world('')
    expect(service.of('192.0.2.1')).toEqual({ kind: 'not enabled' })
    expect(opened()).toBe(0)
  })

  it('is read from a file once, and again when the file was replaced', async () => {
    const { service, disk, clock, opened } = world()
    disk.set('c.mmdb', 'DE')
    expect(service.of('192.0.2.1')).toEqual({ kind: 'unknown' })
    await settle()
    expect(service.of('192.0.2.1')).toEqual({ kind: 'country', code: 'DE', name: 'Germany' })
    await clock.advance(31_000)
    expect(service.of('192.0.2.1')).toMatchObject({ code: 'DE' })
    await settle()
    expect(opened()).toBe(1)
    disk.set('c.mmdb', 'FR')
    await clock.advance(31_000)
    service.of('192.0.2.1')
    await settle()
    expect(service.of('192.0.2.1')).toMatchObject({ name: 'France' })
  })

  it('is unknown while the file is absent, which is told once; what was read stays when the file goes', async () => {
    const { service, disk, clock, told } = world()
    expect(await service.refresh()).toMatchObject({ loaded: null })
    await service.refresh()
    expect(service.of('192.0.2.1')).toEqual({ kind: 'unknown' })
    expect(told).toHaveLength(1)
    disk.set('c.mmdb', 'DE')
    await service.refresh()
    disk.delete('c.mmdb')
    await clock.advance(31_000)
    await service.refresh()
    expect(service.of('192.0.2.1')).toMatchObject({ code: 'DE' })
    disk.set('c.mmdb', new Error('it is broken'))
    expect(await service.refresh()).toMatchObject({ problem: 'it is broken', loaded: { type: 'T' } })
  })

  it('follows the file that is committed, and a commit with a bad one is refused', async () => {
    const { service, disk, config } = world('')
    disk.set('d.mmdb', 'JP')
    const before = geolocation.defaults
    const whole = config
    expect(await service.consumer.prepare?.({ file: 'd.mmdb' }, before, whole)).toEqual([])
    expect(await service.consumer.prepare?.({ file: 'e.mmdb' }, before, whole)).toMatchObject([
      { message: 'The country database e.mmdb cannot be used: there is no such file.' },
    ])
    config.set(geolocation, { file: 'd.mmdb' })
    await service.consumer.apply({ file: 'd.mmdb' }, before, whole)
    expect(service.of('::1')).toMatchObject({ name: 'Japan' })
    await service.consumer.apply({ file: '' }, { file: 'd.mmdb' }, whole)
    config.set(geolocation, { file: '' })
    expect(service.of('::1')).toEqual({ kind: 'not enabled' })
  })
})
