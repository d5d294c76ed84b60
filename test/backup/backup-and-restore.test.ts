import { EventEmitter } from 'node:events';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Interrupt } from '../../src/cli/interrupt.ts';
import { runKora } from '../../src/cli/program.ts';
import { type Kora, startKora } from '../../src/composition.ts';
import { configFrom } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { projections } from '../../src/projections/index.ts';
import { createDataFolder } from '../support/postgres.ts';
import { rowsOf } from '../support/projection-rows.ts';
import { must, openWallets, p2p } from '../support/wallets.ts';

// Every step starts a server, on a machine that others use too.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** A kora is backed up while it serves, and lost: what was acknowledged is there again, up to any moment that is wanted. */
describe('backup and restore', () => {
  let base: string;
  let remove: () => Promise<void>;
  let dataDir: string;
  /** Ids of payments, by when they were acknowledged. */
  const acknowledged = {
    before: [] as string[],
    during: [] as string[],
    between: [] as string[],
    after: [] as string[],
  };
  let between: { time: string; position: number; rows: Record<string, string[]> };
  let end: { position: number; rows: Record<string, string[]> };
  let checkpoint: string;
  /** The segment in which the payments between are. */
  let segment: string;

  const env = (folder: string): Record<string, string> => ({
    KORA_DATA_DIR: folder,
    KORA_CHECKPOINT_DIR: join(base, 'checkpoints'),
    KORA_CHECKPOINT_EVERY_MS: '200',
  });
  const start = (folder: string, more: Record<string, string> = {}): Promise<Kora> =>
    startKora(configFrom({ ...env(folder), ...more }), {
      logger: createLogger({ level: 'silent', format: 'json', write: () => undefined }),
      without: ['doors', 'scheduler'],
    });

  beforeAll(async () => {
    ({ dataDir, remove } = await createDataFolder());
    base = dirname(dataDir);
    const kora = await start(dataDir, { KORA_ARCHIVE_DIR: join(base, 'archive') });
    await openWallets(kora.runtime, { ada: 1_000_000n, ben: 0n });
    let keys = 0;
    const pay = async (into: string[]): Promise<void> => {
      const outcome = await must(kora.runtime, p2p('ada', 'ben', 1n, `payment ${++keys}`));
      into.push((outcome as unknown as { payment: { paymentId: string } }).payment.paymentId);
    };
    for (let count = 0; count < 20; count++) await pay(acknowledged.before);

    const done = new AbortController();
    const paying = (async () => {
      while (!done.signal.aborted) await pay(acknowledged.during);
    })();
    const backup = await command(['backup', '--to', join(base, 'backup'), '--json'], env(dataDir));
    done.abort();
    await paying;
    expect(backup).toMatchObject({ code: 0, stderr: '' });
    expect(acknowledged.during.length).toBeGreaterThan(0);

    for (let count = 0; count < 20; count++) await pay(acknowledged.between);
    // The instant is in whole milliseconds: what was acknowledged is before it, what is paid from now on after it.
    await sleep(5);
    const time = new Date().toISOString();
    await sleep(5);
    await kora.projected();
    const admin = new pg.Pool(kora.database);
    between = { time, position: await kora.log.lastPosition(), rows: await rowsOf(admin, projections) };
    segment = await switchSegment(admin);
    for (let count = 0; count < 20; count++) await pay(acknowledged.after);
    await kora.projected();
    end = { position: await kora.log.lastPosition(), rows: await rowsOf(admin, projections) };
    checkpoint = await vi.waitFor(async () => {
      const files = await readdir(join(base, 'checkpoints'));
      const signed = files.find((name) => name.startsWith(`checkpoint-${String(end.position).padStart(16, '0')}`));
      expect(signed).toBeDefined();
      return join(base, 'checkpoints', signed ?? '');
    }, 60_000);
    await switchSegment(admin);
    await admin.end();
    await kora.close();
    await rm(dataDir, { recursive: true });
  });
  afterEach(() => rm(join(base, 'restored'), { recursive: true, force: true }));
  afterAll(() => remove());

  async function switchSegment(admin: pg.Pool): Promise<string> {
    const { rows } = await admin.query<{ name: string }>('select pg_walfile_name(pg_switch_wal()) as name');
    const name = rows[0]?.name ?? '';
    await vi.waitFor(async () => expect(await readdir(join(base, 'archive'))).toContain(name), 60_000);
    return name;
  }

  async function command(args: string[], settings = env(join(base, 'restored'))) {
    const said = { stdout: '', stderr: '' };
    const code = await runKora(args, {
      env: settings,
      stdout: { write: (text) => (said.stdout += text) },
      stderr: { write: (text) => (said.stderr += text) },
      interrupt: new Interrupt(new EventEmitter(), () => undefined),
      exitCode: 0,
    });
    return { code, ...said };
  }
  const restore = (...args: string[]) => command(['restore', '--from', join(base, 'backup'), '--json', ...args]);

  /** What the restored kora knows: its projections, and which of the payments. */
  async function known(kora: Kora, ids: readonly string[]): Promise<string[]> {
    const views = await Promise.all(ids.map((id) => kora.payments.payment(id)));
    return ids.filter((_, index) => views[index] !== undefined);
  }
  async function projected(kora: Kora): Promise<Record<string, string[]>> {
    await kora.projected();
    const admin = new pg.Pool(kora.database);
    return rowsOf(admin, projections).finally(() => admin.end());
  }
  const { before, during, between: then, after } = acknowledged;

  it('to the latest: every acknowledged payment that was archived is there, and it goes on', async () => {
    const { code, stdout, stderr } = await restore('--to', 'latest');
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('reading') as string });
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, findings: [], position: end.position, missingSegment: null });
    expect(await command(['verify', '--against', checkpoint])).toMatchObject({ code: 0 });

    // Its history is another one from here on: it never goes into the archive of the old one.
    const folder = join(base, 'restored');
    await expect(start(folder, { KORA_ARCHIVE_DIR: join(base, 'archive') })).rejects.toThrow(/not the archive of this/);
    const kora = await start(folder, { KORA_ARCHIVE_DIR: join(base, 'archive-2') });
    const everything = [...before, ...during, ...then, ...after];
    expect(await known(kora, everything)).toEqual(everything);
    expect(await projected(kora)).toEqual(end.rows);
    await must(kora.runtime, p2p('ben', 'ada', 1n, 'a payment after all'));
    await kora.close();
    expect((await command(['verify'])).code).toBe(0);
  });

  it('to a time: exactly the payments that were acknowledged before it', async () => {
    const { code, stdout } = await restore('--to-time', between.time);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, findings: [], position: between.position });
    const kora = await start(join(base, 'restored'));
    expect(await known(kora, [...before, ...during, ...then])).toEqual([...before, ...during, ...then]);
    expect(await known(kora, after)).toEqual([]);
    expect(await projected(kora)).toEqual(between.rows);
    await kora.close();
    // What was signed later is not there any more, and that is told.
    const against = await command(['verify', '--against', checkpoint]);
    expect(against).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('shorter than the checkpoint') as string,
    });
  });

  it('to a position, exactly', async () => {
    const { code, stdout } = await restore('--to-position', String(between.position));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, findings: [], position: between.position });
  });

  it('says which segment is missing, and how far it came', async () => {
    const holed = join(base, 'holed');
    await cp(join(base, 'archive'), holed, { recursive: true });
    await rm(join(holed, segment));
    const latest = await restore('--archive-dir', holed);
    const { position, ok } = JSON.parse(latest.stdout) as { position: number; ok: boolean };
    // A segment may end by itself just before it is made to.
    expect(position).toBeLessThanOrEqual(between.position);
    expect({ ok, code: latest.code }).toEqual({ ok: true, code: 1 });
    expect(latest.stderr).toContain(`the segment ${segment} is missing in the archive ${holed}`);
    expect(latest.stderr).toContain(`history is restored up to position ${position}`);
    await rm(join(base, 'restored'), { recursive: true });

    const earlier = await restore('--archive-dir', holed, '--to-time', between.time);
    expect(earlier).toMatchObject({ code: 1, stdout: '' });
    expect(earlier.stderr).toMatch(/that point was not reached: history could be read up to 20\d\d-/);
    expect(earlier.stderr).toContain(`the segment ${segment} is missing`);
    expect(await readdir(base)).not.toContain('restored');
  });

  it('never goes over something that is there, nor from what is no whole backup', async () => {
    const first = await restore('--to-time', '2001-01-01T00:00:00Z');
    expect(first).toMatchObject({ code: 1, stderr: expect.stringContaining('take an earlier one') as string });
    const full = await command(['restore', '--from', join(base, 'backup')], env(join(base, 'backup')));
    expect(full).toMatchObject({ code: 1, stderr: expect.stringContaining('is not empty') as string });
    const again = await command(['backup', '--to', join(base, 'archive')], env(join(base, 'restored')));
    expect(again.code).toBe(1);
    const none = await command(['restore', '--from', join(base, 'archive')]);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('holds no whole backup') as string });

    const spoilt = join(base, 'backup', 'postgres', 'PG_VERSION');
    const version = await readFile(spoilt);
    await writeFile(spoilt, '17\n');
    expect(await restore()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the backup is damaged') as string,
    });
    await writeFile(spoilt, version);
    expect(await readdir(base)).not.toContain('restored');
  });
});
