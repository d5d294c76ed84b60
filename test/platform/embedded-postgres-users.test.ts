import { execFile, spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readFile, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { copyClone, fixtureOf, repository } from './fixtures/clone.ts';
import { SharedFolder } from './fixtures/shared-folder.ts';

/** Proves that the embedded Postgres runs for root, wherever clone and data are, and for an ordinary user. */
const run = promisify(execFile);
const nobody = 65534;
const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--'];

const isRoot = process.getuid?.() === 0;
/** Not so when the clone or its Node are below a private home. */
const nobodyCanRunUs =
  isRoot &&
  spawnSync(asNobody[0] ?? '', [
    ...asNobody.slice(1),
    process.execPath,
    '-e',
    `fs.readdirSync(${JSON.stringify(repository)})`,
  ]).status === 0;

// Every step starts a process or a server, on a machine that others use too.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let folder: SharedFolder;
/** Mode 0700 and root's, like /root. */
let privateHome: string;

beforeEach(async () => {
  folder = await SharedFolder.fresh();
  privateHome = await mkdtemp(join(dirname(folder.dataDir), 'home-'));
});

afterEach(() => folder.remove());

async function capabilitiesOf(pid: number): Promise<string | undefined> {
  return /^CapEff:\s*(\w+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
}

const capDacOverride = '0000000000000002';
const capDacReadSearch = '0000000000000004';

describe.skipIf(!isRoot)('root (skipped for others)', () => {
  test('gives Postgres to another user, without capabilities when everybody may enter', async ({ skip }) => {
    skip(!nobodyCanRunUs, 'the clone is below a private folder');
    const { user, postmasterPid } = await folder.open();
    expect((await stat(`/proc/${postmasterPid}`)).uid).not.toBe(0);
    expect(await capabilitiesOf(postmasterPid)).toBe('0000000000000000');
    await user.close();
  });

  test('may keep the data below a private home', async () => {
    folder.dataDir = join(privateHome, 'shop', '.kora');
    const first = await folder.open();
    await first.user.query('CREATE TABLE kept AS SELECT 42 AS answer');
    expect([capDacReadSearch, capDacOverride]).toContain(await capabilitiesOf(first.postmasterPid));
    await first.user.close();
    const second = await folder.open();
    expect(await second.user.query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.user.close();
    expect(((await stat(privateHome)).mode & 0o777).toString(8)).toBe('700');
  });

  test('may keep clone and data below a private home, installed with umask 077', async () => {
    const clone = join(privateHome, 'kora');
    await copyClone(clone, { withPostgres: true });
    await run('chmod', ['-R', 'go-rwx', clone]);
    folder.dataDir = join(clone, '.kora');
    const { user, postmasterPid } = await folder.open({ script: fixtureOf(clone) });
    expect(await user.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await readFile(`/proc/${postmasterPid}/cmdline`, 'utf8')).toContain(clone);
    await user.close();
  });

  test('in a container without CAP_DAC_READ_SEARCH, as by default in Docker, may keep them there too', async () => {
    folder.dataDir = join(privateHome, '.kora');
    const { user, postmasterPid } = await folder.open({
      through: ['setpriv', '--bounding-set=-dac_read_search', '--'],
    });
    expect(await capabilitiesOf(postmasterPid)).toBe(capDacOverride);
    await user.close();
  });

  test('is told what to do when no way leads to a private home', async () => {
    folder.dataDir = join(privateHome, '.kora');
    // A machine without setpriv.
    const programs = join(privateHome, 'bin');
    await mkdir(programs);
    await symlink((await run('which', ['flock'])).stdout.trim(), join(programs, 'flock'));
    const { code, message } = await folder.start({ env: { PATH: programs } }).failed();
    expect(code).toBe('EmbeddedPostgres');
    expect(message).toMatch(/cannot reach .*--data-dir/);
  });

  test('in a container that took its powers is told to be an ordinary user', async () => {
    const without = ['setpriv', '--bounding-set=-dac_read_search,-dac_override,-chown,-setuid,-setgid', '--'];
    const { code, message } = await folder.start({ through: without }).failed();
    expect(code).toBe('EmbeddedPostgres');
    expect(message).toMatch(/start kora as/);
  });

  test('may restore a backup that belongs to root', async () => {
    const first = await folder.open();
    await first.user.query('CREATE TABLE kept AS SELECT 42 AS answer');
    await first.user.close();
    await run('chown', ['-R', '0:0', folder.dataDir]);
    const second = await folder.open();
    expect(await second.user.query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.user.close();
  });

  test("runs an ordinary user's Postgres under that user's name", async ({ skip }) => {
    skip(!nobodyCanRunUs, 'the clone is below a private folder');
    await mkdir(folder.dataDir, { mode: 0o700 });
    await chown(folder.dataDir, nobody, nobody);
    const ordinary = await folder.open({ through: asNobody });
    await ordinary.user.query('CREATE TABLE kept AS SELECT 42 AS answer');
    await ordinary.user.close();
    const root = await folder.open();
    expect((await stat(`/proc/${root.postmasterPid}`)).uid).toBe(nobody);
    // Both may have it open at once.
    const beside = await folder.open({ through: asNobody, role: 'tool' });
    expect(await beside.user.query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await root.user.close();
    expect(await folder.isRunning(root.postmasterPid)).toBe(true);
    await beside.user.close();
    expect(await folder.isRunning(root.postmasterPid)).toBe(false);
  });
});

describe.skipIf(!nobodyCanRunUs)(
  'an ordinary user (skipped unless root may become one that can enter the clone)',
  () => {
    beforeEach(async () => {
      await mkdir(folder.dataDir, { mode: 0o700 });
      await chown(folder.dataDir, nobody, nobody);
    });

    test('opens, crashes and opens again', async () => {
      const first = await folder.open({ through: asNobody });
      expect((await stat(`/proc/${first.postmasterPid}`)).uid).toBe(nobody);
      await first.user.query('CREATE TABLE kept AS SELECT 42 AS answer');
      expect((await folder.start({ through: asNobody }).failed()).code).toBe('InstanceRunning');
      await first.user.kill();
      const second = await folder.open({ through: asNobody });
      expect(second).toMatchObject({ adopted: true, postmasterPid: first.postmasterPid });
      expect(await second.user.query('SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
      await second.user.close();
      expect(await folder.isRunning(first.postmasterPid)).toBe(false);
    });

    test("is told when the folder is somebody else's", async () => {
      await chown(folder.dataDir, 0, 0);
      const { code, message } = await folder.start({ through: asNobody }).failed();
      expect(code).toBe('EmbeddedPostgres');
      expect(message).toMatch(/start kora as/);
      await chmod(folder.dataDir, 0o755);
      expect((await folder.start({ through: asNobody }).failed()).message).toMatch(/start kora as/);
    });
  },
);
