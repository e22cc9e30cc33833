import { configDefaults, defineConfig } from 'vitest/config'

/** Counts how often its code runs, which V8 does right only where nothing has run that code before. */
const counting = ['test/property/intel-url-linear.test.ts']

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    globalSetup: ['test/support/global-setup.ts'],
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/{unit,sessions,contract,property,architecture}/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...counting],
          setupFiles: ['test/support/deny-network.ts'],
          pool: 'forks',
          isolate: false, // the files of one worker share their modules: half the time
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: counting,
          setupFiles: ['test/support/deny-network.ts'],
          pool: 'forks',
          testTimeout: 20_000,
        },
      },
    ],
  },
})
