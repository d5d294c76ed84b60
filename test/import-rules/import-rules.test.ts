import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Proves that the import rules of docs/architecture.md are in force: the product keeps them, and a violation is caught. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));

interface Cruise {
  summary: { totalCruised: number; violations: { rule: { name: string }; from: string }[] };
}

function cruise(cwd: string, ...folders: string[]): Cruise['summary'] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      `${root}node_modules/.bin/depcruise`,
      '--config',
      `${root}.dependency-cruiser.cjs`,
      '--output-type',
      'json',
      ...folders,
    ],
    { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  expect(stdout, stderr).toMatch(/^\{/);
  return (JSON.parse(stdout) as Cruise).summary;
}

describe('the import rules', () => {
  it('hold for the product, and really looked at it', () => {
    const summary = cruise(root, 'src', 'eventstore', 'sdk');
    expect(summary.violations).toEqual([]);
    expect(summary.totalCruised).toBeGreaterThan(40);
  });

  it('catch a machine that does I/O or knows a door, a log that knows money, and modules that know more than a face', () => {
    const { violations } = cruise(here, 'src', 'eventstore', 'sdk');
    expect(violations.map(({ rule, from }) => `${from}: ${rule.name}`).sort()).toEqual([
      'eventstore/curious.ts: eventstore-knows-nothing-of-payments',
      'sdk/homesick.ts: the-client-runs-in-browsers',
      'sdk/homesick.ts: the-client-stands-alone',
      'src/connectors/deciding.ts: connectors-decide-nothing',
      'src/gateway/http/peeping.ts: doors-do-not-know-each-other',
      'src/gateway/http/peeping.ts: modules-have-one-face',
      'src/identity/curious.ts: identity-knows-nothing-of-money',
      'src/ledger/inside.ts: ledger-knows-no-other-module',
      'src/machines/impure.ts: machines-are-pure',
      'src/machines/impure.ts: machines-do-no-io',
      'src/payments/prying.ts: modules-have-one-face',
      'src/payments/prying.ts: payments-ask-the-ledger',
      'src/webhooks/asking.ts: webhooks-tell-what-the-log-says',
    ]);
  });
});
