import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openEmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { createDataFolder } from '../support/postgres.ts';
import { openTroubledProduct, patience, type TroubledProduct } from './support/product.ts';
import { mayMount, mountSmallDisk } from './support/small-disk.ts';

/**
 * Proves that kora outlives a full disk under its own Postgres, fsync on, and a Postgres that is killed: nothing is lost or
 * done twice, callers and balancers are told why, and all goes on by itself when there is room again.
 */
const mountable = await mayMount();
const full = 'the disk of the database is full';

async function dataFolder(): Promise<string> {
  const { dataDir, remove } = await createDataFolder();
  onTestFinished(remove);
  return dataDir;
}

async function expectTroubleOver(product: TroubledProduct, keys: readonly string[]): Promise<void> {
  await expect.poll(() => product.ready(), patience).toMatchObject({ status: 200, body: { ready: true } });
  expect(await product.health()).toBe('SERVING');
  await product.expectOnce(keys);
  expect(product.told().at(-1)).toMatch(/^the trouble is over/);
}

describe.skipIf(!mountable)(`a disk that is full${mountable ? '' : ' (skipped: nothing can be mounted here)'}`, () => {
  test('under the data', { timeout: 180_000 }, async () => {
    const dataDir = await dataFolder();
    mkdirSync(dataDir, { mode: 0o700 });
    const disk = await mountSmallDisk(dataDir, 200);
    const product = await openTroubledProduct({ KORA_DATA_DIR: dataDir });
    onTestFinished(() => disk.free());
    disk.fill();
    const keys = await product.payUntil('under load', () => product.kora.troubles.refusal !== undefined);
    expect(await product.ready()).toMatchObject({ status: 503, body: { reason: full } });
    expect(await product.health()).toBe('NOT_SERVING');
    const refused = await product.pay('refused');
    expect(refused).toMatchObject({ status: 503, body: { code: 'Overloaded' } });
    expect(refused.body['detail']).toContain(full);
    disk.free();
    await expectTroubleOver(product, [...keys, 'refused']);
    expect(product.told().filter((line) => line.startsWith(`trouble: ${full}`))).toHaveLength(1);
  });

  test('under pg_wal alone: Postgres ends itself, and is started until it can', { timeout: 180_000 }, async () => {
    const dataDir = await dataFolder();
    await (await openEmbeddedPostgres({ dataDir, role: 'tool' })).close();
    const disk = await mountSmallDisk(join(dataDir, 'postgres', 'pg_wal'), 80);
    const product = await openTroubledProduct({ KORA_DATA_DIR: dataDir });
    onTestFinished(() => disk.free());
    const admin = new pg.Client(product.kora.database);
    admin.on('error', () => undefined);
    await admin.connect();
    disk.fill();
    // A new file of the log is needed at once, not after 16 MiB of payments.
    const switching = (async () => {
      for (let file = 0; file < 50; file++) {
        await admin.query(`select pg_logical_emit_message(false, 'kora', 'x'), pg_switch_wal()`);
      }
    })();
    switching.catch(() => undefined);
    const keys = await product.payUntil('under load', () => product.kora.troubles.current?.reason === full);
    await expect(switching).rejects.toThrow();
    expect(await product.health()).toBe('NOT_SERVING');
    disk.free();
    await expectTroubleOver(product, keys);
  });
});

test('Postgres is killed under load', { timeout: 180_000 }, async () => {
  const dataDir = await dataFolder();
  const product = await openTroubledProduct({ KORA_DATA_DIR: dataDir });
  const postmaster = Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
  process.kill(postmaster, 'SIGKILL');
  const keys = await product.payUntil('killed', () => product.told().some((line) => line.startsWith('trouble: ')));
  await expectTroubleOver(product, keys);
  expect(product.told().filter((line) => line.startsWith('trouble: '))).toHaveLength(1);
});
