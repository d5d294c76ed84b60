import pg from 'pg';
import { fc, test } from '@fast-check/vitest';
import { randomUUID } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IntakeStep, StatementIntake } from '../../src/connectors/statements/intake.ts';
import { StatementKeys } from '../../src/connectors/statements/statement-keys.ts';
import { moduleRoles } from '../../src/modules.ts';
import { asRole } from '../../src/platform/postgres/module-roles.ts';
import { readKeyring } from '../../src/identity/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type IntakeStage, intakeStage, keyText, tester } from './support/intake.ts';
import { bookedHead, lineOf } from './support/plain-format.ts';

/** Proves that every line that a bank reports is in exactly once, whatever files it comes in and wherever an import breaks off. */
let database: TestDatabase;
let pool: pg.Pool;
let stage: IntakeStage;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool(asRole(database.poolConfig, moduleRoles.providers.role));
  stage = await intakeStage(pool);
});
afterAll(async () => {
  await stage.stop();
  await pool.end();
  await database.drop();
});

const aProfile = (kind = ''): string => `bank:${randomUUID()}${kind}`;

/** Amounts of the lines that may be matched, as the feed tells them. */
async function fed(profile: string): Promise<number[]> {
  const facts = await stage.intake.linesAfter(0n, 1_000_000);
  return facts.filter((fact) => fact.profile === profile).map(({ amount }) => Number(amount));
}

async function stored(profile: string, status: string): Promise<number[]> {
  const { rows } = await pool.query<{ amount: string }>(
    `select amount from providers.bank_statement_lines where bank_profile_id = $1 and reconciliation_status = $2
     order by raw_statement_id, ordinal`,
    [profile, status],
  );
  return rows.map(({ amount }) => Number(amount));
}

describe('a file', () => {
  it('is stored, read, and its lines are in', async () => {
    const profile = aProfile();
    const { id } = await stage.take(profile, [bookedHead, lineOf(500, 'INV-1'), lineOf(-20)]);
    expect(await stage.intake.file(id)).toMatchObject({
      status: 'parsed',
      profile,
      linesDone: 2,
      findings: { statements: 1, lines: 2, problemsCount: 0, balances: [{ currency: 'EUR', opening: '1000' }] },
    });
    expect(await fed(profile)).toEqual([500, -20]);
    const bytes: Uint8Array[] = [];
    for await (const some of stage.intake.bytes(id, tester)) bytes.push(some);
    expect(Buffer.concat(bytes).toString()).toContain('INV-1');
  });

  it('that comes again is the first one', async () => {
    const profile = aProfile();
    const lines = [bookedHead, lineOf(500)];
    const { id } = await stage.take(profile, lines);
    expect(await stage.take(profile, lines)).toEqual({ id, duplicate: true });
    expect(await fed(profile)).toEqual([500]);
    const elsewhere = await stage.take(aProfile(), lines);
    expect(elsewhere).toMatchObject({ duplicate: false });
  });

  it('that comes twice at once is one', async () => {
    const profile = aProfile();
    const lines = [bookedHead, ...Array.from({ length: 300 }, (_, n) => lineOf(n))];
    const others = [stage.again({ batchLines: 7 }), stage.again({ batchLines: 11 }), stage.intake];
    const taken = await Promise.all(others.map((on) => stage.take(profile, lines, on)));
    expect(new Set(taken.map(({ id }) => id)).size).toBe(1);
    expect((await fed(profile)).length).toBe(300);
  });

  it('of no profile, an empty one and one that is too large are refused, and nothing of them is kept', async () => {
    const small = stage.again({ bytesMax: 10 });
    const profile = aProfile();
    await expect(stage.take('bank:nobody', [bookedHead])).rejects.toMatchObject({ code: 'UnknownProfile' });
    await expect(stage.take(profile, [])).rejects.toMatchObject({ code: 'FileEmpty' });
    await expect(stage.take(profile, [bookedHead], small)).rejects.toMatchObject({ code: 'FileTooLarge' });
    expect((await stage.intake.files({ profile }, { limit: 10 })).items).toEqual([]);
    expect(await readdir(join(stage.folder, 'spool'))).toEqual([]);
  });

  it('that cannot be read is kept, with the place', async () => {
    const profile = aProfile();
    const { id } = await stage.take(profile, [bookedHead, lineOf(1), 'nonsense']);
    expect(await stage.intake.file(id)).toMatchObject({
      status: 'unreadable',
      findings: { unreadable: { code: 'UnknownFormat', line: 3, column: 1 } },
    });
    expect(await fed(profile)).toEqual([]);
    expect(await stored(profile, 'unmatched')).toEqual([]);
  });
});

describe('a file that fails a check', () => {
  const lines = [bookedHead, lineOf(500), lineOf(500), 'P;BalanceMismatch'];

  it('is kept, and nothing can match on its lines until a person releases it', async () => {
    const profile = aProfile();
    const { id } = await stage.take(profile, lines);
    expect(await stage.intake.file(id)).toMatchObject({
      status: 'quarantined',
      findings: { problems: [{ code: 'BalanceMismatch' }] },
    });
    expect(await stored(profile, 'quarantined')).toEqual([500, 500]);
    expect(await fed(profile)).toEqual([]);
    const released = await stage.intake.release(id, { actor: 'user:ada', reason: 'the bank has confirmed it' });
    expect(released).toMatchObject({
      status: 'parsed',
      release: { by: 'user:ada', reason: 'the bank has confirmed it' },
    });
    expect(await fed(profile)).toEqual([500, 500]);
    expect(await stored(profile, 'quarantined')).toEqual([]);
    await expect(stage.intake.release(id, tester)).rejects.toMatchObject({ code: 'NotQuarantined' });
    const { rows } = await pool.query(
      `select actor, action, reason from providers.statement_access where raw_statement_id = $1 and action = 'release'`,
      [id],
    );
    expect(rows).toEqual([{ actor: 'user:ada', action: 'release', reason: 'the bank has confirmed it' }]);
  });

  it('released after the same statement came in right adds nothing', async () => {
    const profile = aProfile();
    const { id } = await stage.take(profile, lines);
    await stage.take(profile, lines.slice(0, 3));
    expect(await fed(profile)).toEqual([500, 500]);
    await stage.intake.release(id, tester);
    expect(await fed(profile)).toEqual([500, 500]);
  });

  it('takes nothing from another statement with lines that are alike', async () => {
    const profile = aProfile();
    const { id } = await stage.take(profile, lines);
    await stage.take(profile, ['H;mt940;DE89370400440532013000;EUR;2;2000', lineOf(500)]);
    expect(await fed(profile)).toEqual([500]);
    await stage.intake.release(id, tester);
    expect(await fed(profile)).toEqual([500, 500, 500]);
  });
});

describe('lines', () => {
  const intradayHead = 'H;mt942;DE89370400440532013000;EUR;1;0';

  it('that are truly alike count each', async () => {
    const profile = aProfile();
    await stage.take(profile, [bookedHead, lineOf(5), lineOf(5), lineOf(5)]);
    expect(await fed(profile)).toEqual([5, 5, 5]);
  });

  it('of overlapping intraday reports and the day’s statement are in once', async () => {
    const profile = aProfile();
    await stage.take(profile, [intradayHead, lineOf(5), lineOf(7, 'A')]);
    await stage.take(profile, [intradayHead, lineOf(5), lineOf(7, 'A'), lineOf(5)]);
    await stage.take(profile, [bookedHead, lineOf(7, 'A'), lineOf(5), lineOf(5), lineOf(5), lineOf(9)]);
    expect((await fed(profile)).sort()).toEqual([5, 5, 5, 7, 9]);
  });

  it('of reports that hold what is new count each, and the day’s statement doubles none', async () => {
    const profile = aProfile(':delta');
    await stage.take(profile, ['H;mt942;DE89;EUR;1;0', lineOf(5)]);
    await stage.take(profile, ['H;mt942;DE89;EUR;2;0', lineOf(5)]);
    await stage.take(profile, ['H;mt940;DE89;EUR;1;1000', lineOf(5), lineOf(5)]);
    expect(await fed(profile)).toEqual([5, 5]);
  });

  it('that are alike in two statements of a day, or two pages in two files, count each', async () => {
    const profile = aProfile();
    await stage.take(profile, [bookedHead, lineOf(5)]);
    await stage.take(profile, ['H;mt940;DE89370400440532013000;EUR;2;1005', lineOf(5)]);
    expect(await fed(profile)).toEqual([5, 5]);
  });

  it('of a statement that the bank sends again in another file are in once', async () => {
    const profile = aProfile();
    await stage.take(profile, [bookedHead, lineOf(5), lineOf(5)]);
    await stage.take(profile, [bookedHead, lineOf(5), lineOf(5), lineOf(8)]);
    expect(await fed(profile)).toEqual([5, 5, 8]);
  });

  it('are known by the bank’s own id where the profile says so', async () => {
    const profile = aProfile(':unique');
    await stage.take(profile, [intradayHead, lineOf(5, 'X', { bank: 'B1', day: '2026-11-26' })]);
    await stage.take(profile, [bookedHead, lineOf(5, 'other text', { bank: 'B1' }), lineOf(5, 'X', { bank: 'B2' })]);
    expect(await fed(profile)).toEqual([5, 5]);
  });

  it('of two accounts or currencies are different ones', async () => {
    const profile = aProfile();
    await stage.take(profile, [
      'H;mt942;A1;EUR;1;0',
      lineOf(5),
      'H;mt942;A2;EUR;1;0',
      lineOf(5),
      'H;mt942;A1;USD;1;0',
      lineOf(5),
    ]);
    expect(await fed(profile)).toEqual([5, 5, 5]);
  });

  test.prop(
    [
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat({ max: 12 }), { maxLength: 4 }),
      fc.array(fc.nat({ max: 12 }), { maxLength: 3 }),
      fc.integer({ min: 1, max: 5 }),
    ],
    { numRuns: 25 },
  )(
    'come to the day’s lines, however reports overlap, statements are split and batches fall',
    async (amounts, cuts, pages, batchLines) => {
      const profile = aProfile();
      const on = stage.again({ batchLines });
      // Reports of the day so far, in any order; then the booked statements, which divide the day among them.
      for (const cut of cuts)
        await stage.take(profile, [intradayHead, ...amounts.slice(0, cut).map((n) => lineOf(n))], on);
      const bounds = [0, ...pages.filter((n) => n < amounts.length).sort((a, b) => a - b), amounts.length];
      for (let page = 1; page < bounds.length; page += 1) {
        const part = amounts.slice(bounds[page - 1], bounds[page]);
        await stage.take(
          profile,
          [`H;mt940;DE89370400440532013000;EUR;${page};${page}`, ...part.map((n) => lineOf(n))],
          on,
        );
      }
      expect((await fed(profile)).sort()).toEqual([...amounts].sort());
    },
  );
});

describe('the feed', () => {
  it('is dense, in order, and holds nothing personal', async () => {
    const profile = aProfile();
    await stage.take(profile, [
      bookedHead,
      lineOf(500, 'INV-77', { text: 'MARIE MUSTERMANN' }),
      lineOf(6, 'NOTPROVIDED'),
    ]);
    const all = await stage.intake.linesAfter(0n, 1_000_000);
    expect(all.map(({ position }) => position)).toEqual(all.map((_, index) => BigInt(index + 1)));
    const [first, second] = all.filter((fact) => fact.profile === profile);
    expect(first).toMatchObject({
      amount: 500n,
      currency: 'EUR',
      statementDate: '2026-11-27',
      valueDate: '2026-11-27',
    });
    expect(first?.reference).toBe(await stage.intake.referenceHash('INV-77'));
    expect(second?.reference).toBeUndefined();
    expect(second?.references).toEqual([]);
    const text = JSON.stringify(first, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
    expect(text).not.toMatch(/MUSTERMANN|INV-77|DE89/);
    expect(await stage.intake.linesAfter(first?.position ?? 0n, 1)).toMatchObject([{ lineId: second?.lineId }]);
    expect(await stage.intake.matchingFields([first?.lineId ?? ''])).toMatchObject([
      { amount: 500n, fields: { reference: 'INV-77', text: 'MARIE MUSTERMANN', account: 'DE89370400440532013000' } },
    ]);
  });

  it('leaves nothing personal in any table or file', async () => {
    const profile = aProfile();
    await stage.take(profile, [bookedHead, lineOf(500, 'ZWECK-4711', { text: 'ERIKA GABLER' })]);
    const { rows } = await pool.query<{ table: string }>(
      `select format('providers.%I', table_name) as table from information_schema.tables where table_schema = 'providers'`,
    );
    for (const { table } of rows) {
      const { rows: found } = await pool.query(
        `select t::text from ${table} t where t::text ~ 'GABLER|ZWECK-4711|DE8937040044'`,
      );
      expect(found, table).toEqual([]);
    }
    for (const name of await readdir(stage.folder, { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      expect((await readFile(join(name.parentPath, name.name))).includes('GABLER'), name.name).toBe(false);
    }
  });

  it('opens after the key of the configuration was rotated', async () => {
    const profile = aProfile();
    await stage.take(profile, [bookedHead, lineOf(500, 'INV-78')]);
    const both = readKeyring(`k2:${Buffer.alloc(32, 7).toString('base64')},${keyText}`);
    expect(await new StatementKeys(pool, both).reseal()).toBeGreaterThan(0);
    const keys = new StatementKeys(pool, readKeyring(`k2:${Buffer.alloc(32, 7).toString('base64')}`));
    const { lineId = '' } =
      (await stage.intake.linesAfter(0n, 1_000_000)).findLast((fact) => fact.profile === profile) ?? {};
    expect(await stage.again({ keys }).matchingFields([lineId])).toMatchObject([{ fields: { reference: 'INV-78' } }]);
    // Back, for the tests that follow.
    expect(
      await new StatementKeys(pool, readKeyring(`${keyText},k2:${Buffer.alloc(32, 7).toString('base64')}`)).reseal(),
    ).toBeGreaterThan(0);
  });
});

describe('the record of accesses', () => {
  it('cannot be rewritten, not even by the module', async () => {
    await stage.take(aProfile(), [bookedHead, lineOf(1)]);
    await expect(pool.query(`update providers.statement_access set actor = 'nobody'`)).rejects.toMatchObject({
      code: '42501',
    });
    await expect(pool.query('delete from providers.statement_access')).rejects.toMatchObject({ code: '42501' });
  });

  it('says who read lines, before they are given', async () => {
    const { id } = await stage.take(aProfile(), [bookedHead, lineOf(1, 'R', { text: 'PAID' })]);
    const page = await stage.intake.lines(
      id,
      { limit: 10 },
      { actor: 'user:eve', reason: 'looking', correlationId: 'c-1' },
    );
    expect(page.items).toMatchObject([{ amount: 1n, fields: { text: 'PAID' } }]);
    const { rows } = await pool.query(
      `select actor, action, reason, correlation_id from providers.statement_access where raw_statement_id = $1 and action = 'read'`,
      [id],
    );
    expect(rows).toEqual([{ actor: 'user:eve', action: 'read', reason: 'looking', correlation_id: 'c-1' }]);
  });
});

describe('a crash', () => {
  const steps: readonly IntakeStep[] = ['arrived', 'stored', 'recorded', 'examined', 'batch', 'lines', 'ended'];

  /** Dies at the nth time that it takes the step. */
  function dying(at: IntakeStep, nth: number): StatementIntake {
    let count = 0;
    return stage.again({
      batchLines: 3,
      onStep: (step) => {
        if (step === at && ++count === nth) throw new Error(`died after ${step}`);
      },
    });
  }

  it.each(steps.flatMap((step) => (step === 'batch' ? [1, 2, 3, 4] : [1]).map((nth) => [step, nth] as const)))(
    'after %s (%i) loses nothing and brings nothing in twice',
    async (step, nth) => {
      for (const held of [false, true]) {
        const profile = aProfile();
        const amounts = [1, 1, 2, 2, 2, 3, 3, 3, 3, 4];
        const lines = [bookedHead, ...amounts.map((n) => lineOf(n)), ...(held ? ['P;BalanceMismatch'] : [])];
        const dies = dying(step, nth);
        await expect(stage.take(profile, lines, dies)).rejects.toThrow('died after');
        // The source still has the file, because nobody said that it was taken; and whoever leads looks for what waits.
        const next = stage.again({ batchLines: 4 });
        await next.resume();
        await stage.take(profile, lines, next);
        expect((await next.files({ profile }, { limit: 10 })).items).toMatchObject([
          { status: held ? 'quarantined' : 'parsed' },
        ]);
        expect(await fed(profile)).toEqual(held ? [] : amounts);
        expect(await stored(profile, held ? 'quarantined' : 'unmatched')).toEqual(amounts);
      }
    },
  );

  it.each(steps)(
    'of a process, by SIGKILL after %s, is made good by the next one',
    { timeout: 60_000 },
    async (step) => {
      const profile = aProfile();
      const amounts = [1, 1, 2, 2, 2, 3, 3];
      const lines = [bookedHead, ...amounts.map((n) => lineOf(n))];
      const { connectionString } = database;
      const told = { connectionString, folder: stage.folder, keyring: keyText, profile, lines, step, nth: 1 };
      const file = fileURLToPath(new URL('./fixtures/intake-process.ts', import.meta.url));
      const { signal, stderr } = spawnSync(process.execPath, [file, JSON.stringify(told)], { encoding: 'utf8' });
      expect([signal, stderr.replaceAll(/.*ExperimentalWarning.*\n|.*--trace-warnings.*\n/g, '')]).toEqual([
        'SIGKILL',
        '',
      ]);
      // The lock of the dead process ends with its connection.
      const next = stage.again();
      await next.resume();
      await stage.take(profile, lines, next);
      expect(await fed(profile)).toEqual(amounts);
      expect((await next.files({ profile }, { limit: 10 })).items).toMatchObject([{ status: 'parsed' }]);
    },
  );

  it.each([1, 2, 3])('in the middle of a release, at batch %i, is made good', async (nth) => {
    const profile = aProfile();
    const amounts = [1, 1, 1, 1, 2, 2, 2, 3];
    const { id } = await stage.take(profile, [bookedHead, ...amounts.map((n) => lineOf(n)), 'P;BalanceMismatch']);
    await expect(dying('batch', nth).release(id, tester)).rejects.toThrow('died after');
    await stage.again().resume();
    expect(await fed(profile)).toEqual(amounts);
    expect(await stored(profile, 'unmatched')).toEqual(amounts);
    expect(await stored(profile, 'quarantined')).toEqual([]);
  });
});

describe('a large file', () => {
  it('of 200,000 lines comes in with flat memory', { timeout: 300_000 }, async () => {
    const profile = aProfile();
    async function* file(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${bookedHead}\n`);
      for (let block = 0; block < 200; block += 1) {
        const lines = Array.from({ length: 1_000 }, (_, n) =>
          lineOf(n % 7, `R${(block * 1_000 + n) % 150_000}`, { text: 'x'.repeat(300) }),
        );
        yield await Promise.resolve(Buffer.from(`${lines.join('\n')}\n`.replace(/\n$/, block === 199 ? '' : '\n')));
      }
    }
    const received = await stage.intake.receive(file(), { profile, origin: 'cli', fileName: 'large', by: tester });
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
    await stage.intake.import(received.id, tester);
    clearInterval(watch);
    expect((await stage.intake.file(received.id)).status).toBe('parsed');
    const { rows } = await pool.query<{ count: number; sum: string }>(
      'select count(*)::int as count, sum(amount) as sum from providers.bank_statement_lines where bank_profile_id = $1',
      [profile],
    );
    expect(rows[0]?.count).toBe(200_000);
    // The file has 65 MB.
    expect((most - before) / 1_048_576).toBeLessThan(150);
  });
});
