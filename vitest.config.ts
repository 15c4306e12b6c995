import { defineConfig } from 'vitest/config';

const INTEGRATION = '**/*.integration.test.ts';
const roots = (file: string) => [`packages/*/test/**/${file}`, `apps/*/test/**/${file}`, `scripts/test/**/${file}`];

// Bounds of what has hung. No test asserts a time by them: a machine that is shared may stand still for seconds.
export default defineConfig({
  test: {
    passWithNoTests: true,
    projects: [
      {
        test: {
          name: 'unit',
          include: roots('*.test.ts'),
          exclude: [INTEGRATION],
          // Nothing outside of a module is touched, so one process serves all files: most take longer to start than to run.
          isolate: false,
          maxWorkers: 2,
          testTimeout: 60_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
      {
        test: {
          name: 'integration',
          include: roots('*.integration.test.ts'),
          globalSetup: ['packages/testing/src/global-redis.ts'],
          setupFiles: ['packages/testing/src/no-leaks.ts'],
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
      {
        test: { name: 'deploy', include: ['tests/deploy/**/*.test.ts'], testTimeout: 180_000, hookTimeout: 60_000 },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          // Real processes compete for the cores: one file after another.
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['tests/faults/**/*.test.ts'],
          // Mostly they wait for a window or a lease to end.
          maxWorkers: 3,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      { test: { name: 'storm', include: ['tests/storm/**/*.test.ts'], fileParallelism: false } },
    ],
  },
});
