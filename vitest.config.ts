import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  test: {
    exclude: ['**/node_modules/**'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two cores: many workers would only make Postgres and the tests starve each other.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      // Tests beside the code are pure: one has nothing to fear of another, and a process for each takes longer than they do.
      { extends: true, test: { name: 'pure', include: ['{eventstore,src,bench}/**/*.test.ts'], isolate: false } },
      { extends: true, test: { name: 'whole', include: ['{test,ops}/**/*.test.ts'] } },
    ],
  },
});
