import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PostgresLog } from '../../eventstore/index.ts';
import { Interrupt } from '../../src/cli/interrupt.ts';
import { runKora } from '../../src/cli/program.ts';
import { projections, runProjector, waitForPosition } from '../../src/projections/index.ts';
import { parseCheckpoint, renderCheckpoint } from '../../src/signed-checkpoints/checkpoint.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { Scribe } from '../support/units.ts';
import { rewriteHistory } from './rewrite-history.ts';

/** A log that holds in itself may still not be the one that was: only what was signed before can tell. */
describe('verify --against', () => {
  const privateKey = pem();
  let folder: string;
  let database: TestDatabase;
  let pool: pg.Pool;
  let log: PostgresLog;
  let scribe: Scribe;
  /** Where the log ended when it was saved, and when it was signed. */
  let savedEnd: number;
  let signedEnd: number;
  let checkpoint: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kora-checkpoints-'));
    database = await createTestDatabase();
    pool = new pg.Pool(database.poolConfig);
    log = new PostgresLog({ config: database.poolConfig });
    scribe = new Scribe(log);
    for (const id of ['alice', 'bob']) scribe.open(id);
    await scribe.written();
    scribe.cashIn('alice', 10_000n);
    scribe.cashIn('bob', 500n);
    await scribe.written();
    scribe.p2p('alice', 'bob', 300n);
    await appended();
    await save('early');
    savedEnd = await log.lastPosition();
    scribe.p2p('bob', 'alice', 100n);
    await scribe.written();
    scribe.p2p('alice', 'bob', 50n);
    await appended();
    signedEnd = await log.lastPosition();
    const signed = await kora('checkpoint', '--json');
    expect(signed).toMatchObject({ code: 0, stderr: '' });
    checkpoint = (JSON.parse(signed.stdout) as { file: string }).file;
    await save('signed');
  });
  beforeEach(() => restore('signed'));
  afterAll(async () => {
    await log.close();
    await pool.end();
    await database.drop();
    await rm(folder, { recursive: true });
  });

  /** Waits for the log, and folds what is new. */
  async function appended(): Promise<void> {
    await scribe.written();
    const stop = new AbortController();
    const run = runProjector({ log, pool, projections, signal: stop.signal, lingerMs: 1 });
    expect(await waitForPosition(pool, await log.lastPosition(), 30_000)).toBe(true);
    stop.abort();
    await run;
  }

  const tables = async (): Promise<string[]> => {
    const { rows } = await pool.query<{ name: string }>(
      `select schemaname || '.' || tablename as name from pg_tables
       where schemaname = 'projections' or schemaname = 'eventstore' and tablename in ('log_p0', 'heads', 'commits')`,
    );
    return rows.map(({ name }) => name);
  };
  async function save(name: string): Promise<void> {
    await pool.query(`create schema ${name}`);
    for (const table of await tables()) {
      await pool.query(`create table ${name}."${table}" as table ${table}`);
    }
  }
  async function restore(name: string): Promise<void> {
    for (const table of await tables()) {
      await pool.query(`truncate ${table}; insert into ${table} select * from ${name}."${table}"`);
    }
  }

  async function kora(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const said = { stdout: '', stderr: '' };
    const code = await runKora(args, {
      env: {
        DATABASE_URL: database.connectionString,
        KORA_CHECKPOINT_DIR: join(folder, 'ours'),
        KORA_CHECKPOINT_KEY: privateKey,
      },
      stdout: { write: (text) => (said.stdout += text) },
      stderr: { write: (text) => (said.stderr += text) },
      interrupt: new Interrupt(new EventEmitter(), () => undefined),
      exitCode: 0,
    });
    return { code, ...said };
  }

  it('says so when history is what was signed, also when more was appended since', async () => {
    expect(await kora('verify', '--against', checkpoint)).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        new RegExp(`everything holds\nhistory up to position ${signedEnd} is what was signed at 20`),
      ) as string,
      stderr: '',
    });
    scribe.cashIn('bob', 7n);
    await appended();
    const later = await kora('verify', '--against', checkpoint, '--json');
    expect(later.code).toBe(0);
    expect(JSON.parse(later.stdout)).toMatchObject({ ok: true, findings: [], against: { position: signedEnd } });
  });

  it('a head is signed once, whoever signs it', async () => {
    const before = await readFile(checkpoint, 'utf8');
    expect(await kora('checkpoint')).toEqual({ code: 0, stdout: `${checkpoint}\n`, stderr: '' });
    expect(await readFile(checkpoint, 'utf8')).toBe(before);
    expect((await readdir(join(folder, 'ours'))).toSorted()).toEqual([
      expect.stringMatching(/^checkpoint-0{10,}[0-9]+-[0-9a-f]{12}\.json$/) as string,
      expect.stringMatching(/^checkpoint-key-[\w-]{43}\.pub\.pem$/) as string,
    ]);
  });

  it('finds that the end of the log was cut off', async () => {
    await restore('early');
    expect(await kora('verify')).toMatchObject({ code: 0 });
    expect(await kora('verify', '--against', checkpoint)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `the log ends at position ${savedEnd}, and was signed up to position ${signedEnd}: history is shorter than the checkpoint`,
      ) as string,
    });
  });

  it('finds that the checkpoint is of another log', async () => {
    const other = await createTestDatabase();
    const otherLog = new PostgresLog({ config: other.poolConfig });
    const otherScribe = new Scribe(otherLog);
    for (const id of ['alice', 'bob']) otherScribe.open(id);
    await otherScribe.written();
    await otherLog.close();
    const ours = database;
    database = other;
    const signed = await kora('checkpoint').finally(() => (database = ours));
    await other.drop();
    expect(await kora('verify', '--against', signed.stdout.trim())).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the checkpoint is of another log') as string,
    });
    await rm(signed.stdout.trim());
  });

  it('believes no file that our key has not signed as it is', async () => {
    const signed = parseCheckpoint(await readFile(checkpoint));
    const file = join(folder, 'forged.json');
    await writeFile(file, renderCheckpoint({ ...signed, position: signed.position - 1 }));
    expect(await kora('verify', '--against', file)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('bad signature') as string,
    });
    await writeFile(file, (await readFile(checkpoint, 'utf8')).replace('{', '{ '));
    expect(await kora('verify', '--against', file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is no signed checkpoint') as string,
    });
    expect(await kora('verify', '--against', join(folder, 'nothing'))).toMatchObject({ code: 1 });

    // Another key than the one that it is held against, though the folder knows the right one.
    const stranger = join(folder, 'stranger.pem');
    await writeFile(stranger, createPublicKey(pem()).export({ type: 'spki', format: 'pem' }));
    expect(await kora('verify', '--against', checkpoint, '--key', stranger)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('unknown key') as string,
    });
    const printed = await kora('checkpoint', '--public-key');
    await writeFile(stranger, printed.stdout);
    await copyFile(checkpoint, file);
    expect(await kora('verify', '--against', file, '--key', stranger)).toMatchObject({ code: 0 });
    expect(await kora('verify', '--key', stranger)).toMatchObject({ code: 2 });
  });

  // The last one: its rebuild leaves other tables.
  it('finds that the whole table was rewritten and the chain made anew, which the chain alone cannot', async () => {
    // Alice has paid in 90,000 and not 10,000, in an early event; every later figure of hers follows from it.
    const { rows } = await pool.query<{ unit: string }>(
      `select unit from eventstore.log where stream = 'account/alice' and events::text like '%"10000"%' order by position limit 1`,
    );
    const unit = Number(rows[0]?.unit);
    await rewriteHistory(pool, (row) => {
      for (const event of row.events) {
        if (row.unit === unit) {
          const changed = JSON.stringify(event.data)
            .replaceAll('"10000"', '"90000"')
            .replaceAll('"-10000"', '"-90000"');
          event.data = JSON.parse(changed) as Record<string, unknown>;
        } else if (row.stream === 'account/alice' && row.position > unit) {
          const after = event.data['after'] as { posted: string };
          after.posted = String(BigInt(after.posted) + 80_000n);
        }
      }
    });
    expect((await kora('rebuild', 'all', '--json')).code).toBe(1);
    expect(await kora('balance', 'alice')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('89750 XOF') as string,
    });

    const fooled = await kora('verify', '--json');
    expect(fooled).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(fooled.stdout)).toMatchObject({ ok: true, findings: [] });

    const against = await kora('verify', '--against', checkpoint, '--json');
    expect(against).toMatchObject({ code: 1, stderr: expect.stringContaining('history was changed') as string });
    expect(JSON.parse(against.stdout)).toMatchObject({
      ok: false,
      findings: [
        {
          position: 1,
          check: 'checkpoint',
          message: expect.stringContaining(`somewhere in positions 1 to ${signedEnd}`) as string,
        },
      ],
    });
  });
});

function pem(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}
