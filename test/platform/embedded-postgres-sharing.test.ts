import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PostgresUserProcess } from './fixtures/postgres-user-process.ts';
import { eventually, SharedFolder } from './fixtures/shared-folder.ts';

/** Proves that processes share a data folder without harm: one instance, any number of tools, and the last one out stops Postgres. */
// Every step starts a process or a server, on a machine that others use too.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let folder: SharedFolder;

beforeEach(async () => {
  folder = await SharedFolder.create();
});

afterEach(() => folder.remove());

describe('a second process', () => {
  test('that wants to be the instance too is refused, and told who is', async () => {
    const { user } = await folder.open();
    const { code, message } = await folder.start().failed();
    expect(code).toBe('InstanceRunning');
    expect(message).toContain(folder.dataDir);
    expect(message).toContain(`kora instance ${user.pid}`);
    expect(message).toContain('--data-dir');
    expect(await user.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await user.close();
  });

  test('that is a tool works beside the instance, and leaves its Postgres running', async () => {
    const instance = await folder.open();
    const tool = await folder.open({ role: 'tool' });
    expect(tool).toMatchObject({ adopted: true, postmasterPid: instance.postmasterPid });
    await tool.user.close();
    expect(await instance.user.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await instance.user.close();
    expect(await folder.isRunning(instance.postmasterPid)).toBe(false);
  });

  test('that is a tool keeps Postgres when the instance leaves, and then stops it', async () => {
    const instance = await folder.open();
    const tool = await folder.open({ role: 'tool' });
    await instance.user.close();
    expect(await tool.user.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    // The place of the instance is free again.
    await (await folder.open()).user.close();
    await tool.user.close();
    expect(await folder.isRunning(instance.postmasterPid)).toBe(false);
  });

  test('that left at the same time does not leave Postgres behind', async () => {
    for (let round = 0; round < 3; round += 1) {
      const instance = await folder.open();
      const tool = await folder.open({ role: 'tool' });
      await Promise.all([instance.user.close(), tool.user.close()]);
      expect(await folder.isRunning(instance.postmasterPid)).toBe(false);
    }
  });
});

describe('on a fresh folder', () => {
  beforeEach(async () => {
    await folder.remove();
    folder = await SharedFolder.fresh();
  });

  test('tools that start at once share one Postgres', async () => {
    const tools = await Promise.all([1, 2, 3].map(() => folder.open({ role: 'tool' })));
    expect(new Set(tools.map((tool) => tool.postmasterPid)).size).toBe(1);
    expect(tools.filter((tool) => !tool.adopted)).toHaveLength(1);
    await Promise.all(tools.map(({ user }) => user.close()));
    expect(await folder.isRunning(tools[0]?.postmasterPid ?? -1)).toBe(false);
  });

  test('of instances that start at once one serves, and the others are refused', async () => {
    const started = [1, 2, 3].map(() => folder.start());
    const answers = await Promise.allSettled(started.map((user) => user.opened()));
    const served = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    served.forEach(({ postmasterPid }) => folder.postmasters.add(postmasterPid));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [String(answer.reason)] : []));
    expect(served).toHaveLength(1);
    expect(refused).toHaveLength(2);
    refused.forEach((reason) => expect(reason).toContain('InstanceRunning'));
    await started[answers.findIndex((answer) => answer.status === 'fulfilled')]?.close();
  });

  test('that processes open and close at random, each finds Postgres working, and none is left', async () => {
    const visits = async (visitor: number) => {
      for (let visit = 0; visit < 3; visit += 1) {
        const { user } = await folder.open({ role: 'tool' });
        await sleep(((visitor * 7 + visit * 13) % 10) * 20);
        expect(await user.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
        await user.close();
      }
    };
    await Promise.all([0, 1, 2].map(visits));
    for (const pid of folder.postmasters) expect(await folder.isRunning(pid)).toBe(false);
  });

  test('whose Postgres somebody keeps stopping, openers still get in', async () => {
    const file = join(folder.dataDir, 'postgres', 'postmaster.pid');
    const stopper = (async () => {
      for (let stops = 0; stops < 6;) {
        const text = await readFile(file, 'utf8').catch(() => '');
        const pid = Number.parseInt(text);
        if (text.includes('ready') && (await folder.isRunning(pid))) {
          process.kill(pid, 'SIGINT');
          stops += 1;
        }
        await sleep(100 + stops * 70);
      }
    })();
    const users: PostgresUserProcess[] = [];
    for (let round = 0; round < 5; round += 1) users.push((await folder.open({ role: 'tool' })).user);
    await stopper;
    for (const user of users) {
      await eventually(() => user.query('SELECT 1'));
      folder.postmasters.add((await user.describe()).postmasterPid);
    }
    await Promise.all(users.map((user) => user.close()));
    for (const pid of folder.postmasters) expect(await folder.isRunning(pid)).toBe(false);
  });

  test('that a process holds up, others wait for it and say so', async () => {
    const first = folder.start({ role: 'tool' });
    await eventually(async () => expect((await readdir(folder.dataDir)).join()).toMatch(/postgres\.initdb-/));
    process.kill(first.pid, 'SIGSTOP');
    const second = folder.start({ role: 'tool' });
    await eventually(() => expect(second.log).toContain(`waiting for process ${first.pid}`));
    process.kill(first.pid, 'SIGCONT');
    const { postmasterPid } = await first.opened();
    expect(await second.opened()).toMatchObject({ adopted: true, postmasterPid });
    folder.postmasters.add(postmasterPid);
    await Promise.all([first.close(), second.close()]);
  });
});

test('an instance that lost its place while it and its Postgres were down is told, and does no harm', async () => {
  const first = await folder.open();
  process.kill(first.user.pid, 'SIGSTOP');
  await folder.killAndWait(first.postmasterPid);
  const second = await folder.open();
  process.kill(first.user.pid, 'SIGCONT');
  await eventually(() => expect(first.user.log).toContain(`instance lost: kora instance ${second.user.pid}`));
  await first.user.close();
  expect(await second.user.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await second.user.close();
  expect(await folder.isRunning(second.postmasterPid)).toBe(false);
});
