import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { eventually, SharedFolder } from './fixtures/shared-folder.ts';

/** Proves, with real kills, that a data folder opens again with what was committed in it, whichever process died. */
// Every step starts a process or a server, on a machine that others use too.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let folder: SharedFolder;

beforeEach(async () => {
  folder = await SharedFolder.create();
});

afterEach(() => folder.remove());

describe('after kill -9', () => {
  test('of the product, the next start adopts its Postgres', async () => {
    const first = await folder.open();
    await first.user.query('CREATE TABLE kept AS SELECT 42 AS answer');
    await first.user.kill();
    expect(await folder.isRunning(first.postmasterPid)).toBe(true);

    const second = await folder.open();
    expect(second).toMatchObject({ adopted: true, postmasterPid: first.postmasterPid });
    expect(await second.user.query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.user.close();
    expect(await folder.isRunning(first.postmasterPid)).toBe(false);
  });

  test('of Postgres, the product starts it again by itself', async () => {
    const { user, postmasterPid } = await folder.open();
    await user.query('CREATE TABLE kept AS SELECT 42 AS answer');
    await folder.killAndWait(postmasterPid);
    expect(await eventually(() => user.query('SELECT answer FROM kept'))).toEqual([{ answer: 42 }]);
    // Still the instance.
    expect(await eventually(() => folder.start().failed())).toMatchObject({ code: 'InstanceRunning' });
    const now = await user.describe();
    folder.postmasters.add(now.postmasterPid);
    expect(now.postmasterPid).not.toBe(postmasterPid);
    await user.close();
    expect(await folder.isRunning(now.postmasterPid)).toBe(false);
  });

  test('of Postgres under an instance and a tool, both go on with one Postgres', async () => {
    const instance = await folder.open();
    const tool = await folder.open({ role: 'tool' });
    await folder.killAndWait(instance.postmasterPid);
    await eventually(() => instance.user.query('SELECT 1'));
    await eventually(() => tool.user.query('SELECT 1'));
    // The tool's own lock is back too: the instance leaves, and Postgres stays.
    await eventually(() => expect(tool.user.log).toMatch(/is back/));
    const { postmasterPid } = await tool.user.describe();
    folder.postmasters.add(postmasterPid);
    await instance.user.close();
    expect(await folder.isRunning(postmasterPid)).toBe(true);
    await tool.user.close();
    expect(await folder.isRunning(postmasterPid)).toBe(false);
  });

  test('of both, the next start recovers what was committed', async () => {
    const { user, postmasterPid } = await folder.open();
    await user.query('CREATE TABLE kept AS SELECT generate_series(1, 10000) AS n');
    await Promise.all([user.kill(), folder.killAndWait(postmasterPid)]);
    const next = await folder.open();
    expect(next.adopted).toBe(false);
    expect(await next.user.query('SELECT count(*)::int AS count FROM kept')).toEqual([{ count: 10000 }]);
    await next.user.close();
  });

  test('of Postgres and then of the product before it heals, the next start works at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { user, postmasterPid } = await folder.open();
      process.kill(postmasterPid, 'SIGKILL');
      await sleep(round * 30);
      await user.kill();
    }
    const { user } = await folder.open();
    expect(await user.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await user.close();
  });

  test('in the middle of initdb, the next start begins anew', async () => {
    await folder.remove();
    folder = await SharedFolder.fresh();
    const interrupted = folder.start();
    await eventually(async () => expect((await readdir(folder.dataDir)).join()).toMatch(/postgres\.initdb-/));
    await interrupted.kill();
    expect(existsSync(join(folder.dataDir, 'postgres'))).toBe(false);
    const { user } = await folder.open();
    await user.close();
    // What the first initdb still wrote after the kill is gone with the next start at the latest.
    await (await folder.open()).user.close();
    expect((await readdir(folder.dataDir)).join()).not.toMatch(/initdb-/);
  });

  test('of both, the number of the postmaster may go to somebody else', async () => {
    const { user, postmasterPid } = await folder.open();
    await Promise.all([user.kill(), folder.killAndWait(postmasterPid)]);
    const { uid, gid } = await stat(join(folder.dataDir, 'postgres'));
    // Postgres minds only processes of its own user.
    const bystander = spawn('sleep', ['600'], { stdio: 'ignore', ...(process.getuid?.() === 0 ? { uid, gid } : {}) });
    onTestFinished(() => void bystander.kill());
    for (const file of ['postgres/postmaster.pid', 'postgres.socket/.s.PGSQL.5432.lock']) {
      const path = join(folder.dataDir, file);
      const [, ...rest] = (await readFile(path, 'utf8')).split('\n');
      await writeFile(path, [String(bystander.pid), ...rest].join('\n'));
    }
    await (await folder.open()).user.close();
  });

  test('of a connection of ours only (Postgres restarts all of them), the product takes its place again', async () => {
    const { user, postmasterPid } = await folder.open();
    const [backend] = await user.query("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'kora instance%'");
    process.kill(Number(backend?.['pid']), 'SIGKILL');
    await eventually(() => expect(user.log).toMatch(/is back/));
    expect((await user.describe()).postmasterPid).toBe(postmasterPid);
    expect((await folder.start().failed()).code).toBe('InstanceRunning');
    await user.close();
    expect(await folder.isRunning(postmasterPid)).toBe(false);
  });

  test('of that connection in the moment of closing, Postgres is still stopped', async () => {
    const { user, postmasterPid } = await folder.open();
    const [backend] = await user.query("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'kora instance%'");
    process.kill(Number(backend?.['pid']), 'SIGKILL');
    await user.close();
    expect(await folder.isRunning(postmasterPid)).toBe(false);
  });
});

test('Ctrl-C in the terminal reaches the product, and not its Postgres', async () => {
  const { user, postmasterPid } = await folder.open({ through: ['setsid'] });
  // The terminal signals the whole process group; the fixture does not handle it and dies.
  process.kill(-user.pid, 'SIGINT');
  await user.ended;
  const next = await folder.open();
  expect(next).toMatchObject({ adopted: true, postmasterPid });
  await next.user.close();
});
