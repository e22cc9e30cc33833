import { READERS, defineCommand } from '../../command.ts'

export default defineCommand({
  name: 'commitdetail',
  summary: 'Show when and why the configuration was last committed',
  description: 'Shows the time and the comment of the last commit.',
  category: 'configure',
  roles: READERS,
  needsCommit: false,
  run: async (session) => {
    const { config, time } = session.appliance
    for (const last of config.history(1)) {
      const comments = last.comment === '' ? 'no comments' : `comments: "${last.comment}"`
      session.print(`Commit at ${time.stampZone(last.at)} with ${comments}.`)
    }
  },
})
