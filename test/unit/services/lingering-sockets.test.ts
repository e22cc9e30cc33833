import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { createLingeringSockets } from '../../../src/services/lingering-sockets.ts'
import { FakeClock } from '../../support/fake-clock.ts'

it('the oldest makes room, and none stays for longer than five seconds', async () => {
  const clock = new FakeClock()
  const lingering = createLingeringSockets(clock, 2)
  const sockets = [new Socket(), new Socket(), new Socket()]
  for (const socket of sockets) lingering.add(socket)
  expect(sockets.map((s) => s.destroyed)).toEqual([true, false, false])
  await clock.advance(5000)
  expect(sockets.map((s) => s.destroyed)).toEqual([true, true, true])
})
