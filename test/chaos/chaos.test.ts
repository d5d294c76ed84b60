import { expect, test } from 'vitest';
import { breakages } from './breakage.ts';
import { chaos } from './chaos.ts';

// What was acknowledged survives when processes of the product and of Postgres are killed, stopped and restarted under
// load: five rounds, in which everything is broken once (docs/chaos.md). `npm run chaos` does many.

test('five rounds of the chaos leave nothing wrong', async () => {
  const short = { size: 2, clients: 4, pauseMs: 40, calmOrdersMax: 10, stillMsMax: 1_000, verifyEvery: 5 };
  const outcome = await chaos({ rounds: breakages.length, seed: 2_026, oneByOne: true, ...short });
  expect(outcome.findings, `logs in ${outcome.folder ?? ''}`).toEqual([]);
  expect(outcome.rounds.flatMap(({ broken }) => broken)).toHaveLength(breakages.length);
  expect(outcome.acknowledged).toBeGreaterThan(breakages.length);
  // Long, because the machine may be busy; on a quiet one it takes about half a minute.
}, 600_000);
