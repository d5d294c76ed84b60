import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { moduleRoles } from '../../src/modules.ts';
import { asRole } from '../../src/platform/postgres/module-roles.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type IntakeStage, intakeStage, tester } from './support/intake.ts';
import { lineOf } from './support/plain-format.ts';

/** Proves what is known of an account's opening and closing balance on a day, and that nothing is made up where none says it. */
let database: TestDatabase;
let pool: pg.Pool;
let stage: IntakeStage;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool(asRole(database.poolConfig, moduleRoles.providers.role));
  stage = await intakeStage(pool, { batchLines: 3 });
});
afterAll(async () => {
  await stage.stop();
  await pool.end();
  await database.drop();
});

const head = (
  account: string,
  sequence: number,
  opening: number,
  { format = 'mt940', currency = 'EUR' } = {},
): string => `H;${format};${account};${currency};${sequence};${opening}`;
const [one, other] = ['DE89370400440532013000', 'DE02120300000000202051'];
const profileOf = (): string => `bank:${randomUUID()}`;
async function on(profile: string, day: string) {
  return (await stage.intake.balancesOn(profile, day)).map(({ account, ...rest }) => {
    expect(account).toMatch(/^[0-9a-zA-Z_-]{16,}$/);
    return rest;
  });
}
const day = '2026-11-27';
const later = '2026-11-28';

it('is of each account and currency by itself, whatever files they came in', async () => {
  const profile = profileOf();
  await stage.take(profile, [
    ...[head(one, 7, 1_000), lineOf(500), 'F;1500;2026-11-27'],
    ...[head(one, 8, 20, { currency: 'USD' }), 'F;20;2026-11-27'],
    ...[head(other, 3, -40), lineOf(-60), 'F;-100;2026-11-27'],
  ]);
  expect(await on(profile, day)).toEqual([
    { last4: '2051', currency: 'EUR', opening: -40n, closing: -100n },
    { last4: '3000', currency: 'EUR', opening: 1_000n, closing: 1_500n },
    { last4: '3000', currency: 'USD', opening: 20n, closing: 20n },
  ]);
  const hash = await stage.intake.hasher();
  const { rows } = await pool.query<{ account_hash: string }>(
    'select distinct account_hash from providers.bank_statement_lines where bank_profile_id = $1',
    [profile],
  );
  expect(rows.map((row) => row.account_hash).sort()).toEqual([hash('account', one), hash('account', other)].sort());
  expect(await on(profileOf(), day)).toEqual([]);
});

it('opens with the first statement of the day and closes with the last, in whatever order they come', async () => {
  const profile = profileOf();
  for (const [sequence, opening, amount] of [
    [10, 1_500, 7],
    [9, 1_000, 500],
    [11, 1_507, -7],
  ] as const)
    await stage.take(profile, [head(one, sequence, opening), lineOf(amount), `F;${opening + amount};${day}`]);
  expect(await on(profile, day)).toEqual([{ last4: '3000', currency: 'EUR', opening: 1_000n, closing: 1_500n }]);
});

it('is not told by what a statement says of several days together', async () => {
  const profile = profileOf();
  const lines = [lineOf(5, 'A', { day: '2026-11-25' }), lineOf(6, 'B')];
  await stage.take(profile, [head(one, 1, 100), ...lines, `F;111;${day}`]);
  expect(await on(profile, day)).toEqual([{ last4: '3000', currency: 'EUR', closing: 111n }]);
  // Nobody said what it was on the day between.
  expect(await on(profile, '2026-11-26')).toEqual([{ last4: '3000', currency: 'EUR' }]);
});

it('holds on days without a statement, until lines come of which no balance is known', async () => {
  const profile = profileOf();
  await stage.take(profile, [head(one, 1, 100), lineOf(5), `F;105;${day}`]);
  const held = { last4: '3000', currency: 'EUR', opening: 105n, closing: 105n, closingDay: day };
  expect(await on(profile, '2026-11-30')).toEqual([held]);
  await stage.take(profile, [head(one, 2, 0, { format: 'mt942' }), lineOf(8, 'X', { day: '2026-11-29' })]);
  expect(await on(profile, later)).toEqual([held]);
  expect(await on(profile, '2026-11-30')).toEqual([{ last4: '3000', currency: 'EUR' }]);
});

it('of a statement that does not say its day is that of its last line', async () => {
  const profile = profileOf();
  await stage.take(profile, [head(one, 1, 100), lineOf(5), 'F;105']);
  expect(await on(profile, day)).toEqual([{ last4: '3000', currency: 'EUR', opening: 100n, closing: 105n }]);
});

it('of a quarantined file is not told until it is released', async () => {
  const profile = profileOf();
  const { id } = await stage.take(profile, [head(one, 1, 100), lineOf(5), `F;106;${day}`, 'P;BalanceMismatch']);
  expect(await on(profile, day)).toEqual([]);
  await stage.intake.release(id, tester);
  expect(await on(profile, day)).toEqual([{ last4: '3000', currency: 'EUR', opening: 100n, closing: 106n }]);
});

it('is kept once, although an import broke off, and of every statement of a file that has many', async () => {
  const profile = profileOf();
  let steps = 0;
  const dying = stage.again({
    batchLines: 3,
    onStep: (step) => {
      if (step === 'batch' && ++steps === 2) throw new Error('killed');
    },
  });
  const accounts = Array.from({ length: 20 }, (_, index) => `ACCOUNT-${1_000 + index}`);
  const lines = accounts.flatMap((account, index) => [head(account, 1, index), lineOf(1), `F;${index + 1};${day}`]);
  await expect(stage.take(profile, lines, dying)).rejects.toThrow('killed');
  await stage.intake.resume();
  expect(await on(profile, day)).toEqual(
    accounts.map((account, index) => ({
      ...{ last4: account.slice(-4), currency: 'EUR', opening: BigInt(index), closing: BigInt(index + 1) },
    })),
  );
});
