import { randomBytes, randomUUID } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/connectors/secrets.ts';
import { SftpPoller, type SftpPollerOptions } from '../../src/connectors/statements/sftp/sftp-poller.ts';
import { moduleRoles } from '../../src/modules.ts';
import { asRole } from '../../src/platform/postgres/module-roles.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type IntakeStage, intakeStage } from './support/intake.ts';
import { bookedHead, lineOf } from './support/plain-format.ts';
import { hasSshd, mayMakeUsers, Sshd } from './support/sshd.ts';

/**
 * Proves that files are fetched from a real OpenSSH server once and whole, whatever happens on the way, and that nothing is
 * said to a server that is not the pinned one. Skipped where there is no sshd: `ops/dev/debian.sh` installs it.
 */
describe.skipIf(!hasSshd)('files on an SFTP server', { timeout: 60_000 }, () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let stage: IntakeStage;
  let sshd: Sshd;
  let folder: string;
  let profile: string;
  let troubles: string[];

  beforeAll(async () => {
    sshd = await Sshd.start();
    database = await createTestDatabase();
    pool = new pg.Pool(asRole(database.poolConfig, moduleRoles.providers.role));
    stage = await intakeStage(pool);
  });
  afterAll(async () => {
    await stage.stop();
    await pool.end();
    await database.drop();
    await sshd.stop();
  });
  beforeEach(async () => {
    profile = `bank:${randomUUID()}`;
    folder = join(sshd.folder, 'in', profile.slice(5));
    await mkdir(folder);
    troubles = [];
  });

  function poller(
    intake: SftpPollerOptions['intake'] = stage.intake,
    settings: Partial<SftpPollerOptions['settings']> = {},
    secrets: SftpPollerOptions['secrets'] = { key: new Secret(sshd.key) },
  ): SftpPoller {
    return new SftpPoller({
      profile,
      settings: {
        host: '127.0.0.1',
        port: sshd.port,
        user: sshd.user,
        hostKeySha256: sshd.fingerprint,
        folder,
        pattern: '*.sta',
        archiveFolder: join(folder, 'done'),
        pollMs: 1_000,
        timeoutMs: 5_000,
        ...settings,
      },
      secrets,
      intake,
      onTrouble: (error, what) => troubles.push(`${what}: ${String(error)}`),
    });
  }
  const put = (name: string, lines: readonly string[]): Promise<void> =>
    writeFile(join(folder, name), lines.join('\n'));
  const archived = (): Promise<string[]> => readdir(join(folder, 'done')).catch(() => []);
  const here = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name !== 'done');
  const fed = async (): Promise<number[]> =>
    (await stage.intake.linesAfter(0n, 1_000_000)).flatMap((fact) =>
      fact.profile === profile ? [Number(fact.amount)] : [],
    );

  it('are fetched when two looks have found them the same, and archived by name and content', async () => {
    await put('one.sta', [bookedHead, lineOf(5)]);
    await put('other.txt', ['not ours']);
    const on = poller();
    expect(await on.turn()).toEqual({ taken: 0, waiting: 1 });
    expect(await on.turn()).toEqual({ taken: 1, waiting: 0 });
    expect(await fed()).toEqual([5]);
    expect(await archived()).toEqual([expect.stringMatching(/^one\.sta\.[0-9a-f]{12}$/)]);
    expect(await here()).toEqual(['other.txt']);
    expect((await stage.intake.files({ profile }, { limit: 5 })).items).toMatchObject([
      { origin: 'sftp', status: 'parsed' },
    ]);
  });

  it('that grow wait', async () => {
    const on = poller();
    await put('one.sta', [bookedHead, lineOf(5)]);
    await on.turn();
    await appendFile(join(folder, 'one.sta'), `\n${lineOf(6)}`);
    expect(await on.turn()).toEqual({ taken: 0, waiting: 1 });
    expect(await fed()).toEqual([]);
    expect(await on.turn()).toEqual({ taken: 1, waiting: 0 });
    expect(await fed()).toEqual([5, 6]);
  });

  it('that change while they are fetched wait', async () => {
    await put('one.sta', [bookedHead, lineOf(5)]);
    let meddled = false;
    const meddling: SftpPollerOptions['intake'] = {
      receive: async (bytes, statement) => {
        if (!meddled) {
          meddled = true;
          await appendFile(join(folder, 'one.sta'), `\n${lineOf(6)}`);
        }
        return stage.intake.receive(bytes, statement);
      },
      import: (id, by) => stage.intake.import(id, by),
      file: (id) => stage.intake.file(id),
    };
    const on = poller(meddling);
    await on.turn();
    expect(await on.turn()).toEqual({ taken: 0, waiting: 1 });
    expect(await fed()).toEqual([]);
    await on.turn();
    await on.turn();
    expect(await fed()).toEqual([5, 6]);
  });

  it('with a name that came before are other files, and the same bytes are the same statement', async () => {
    const on = poller();
    for (const amount of [5, 6, 5]) {
      await put('daily.sta', [bookedHead, lineOf(amount, `R${amount}`)]);
      await on.turn();
      expect(await on.turn()).toMatchObject({ taken: 1 });
    }
    expect(await fed()).toEqual([5, 6]);
    const names = await archived();
    expect(names.length).toBe(3);
    expect(names.filter((name) => name.endsWith('-2')).length).toBe(1);
  });

  it('are in once where a process died before it archived them', async () => {
    await put('one.sta', [bookedHead, lineOf(5)]);
    const dying = poller({
      receive: (bytes, statement) => stage.intake.receive(bytes, statement),
      import: (id, by) => stage.intake.import(id, by),
      file: () => Promise.reject(new Error('died')),
    });
    await dying.turn();
    await expect(dying.turn()).rejects.toThrow('died');
    expect(await fed()).toEqual([5]);
    expect(await here()).toEqual(['one.sta']);
    const next = poller();
    await next.turn();
    expect(await next.turn()).toMatchObject({ taken: 1 });
    expect(await fed()).toEqual([5]);
    expect(await archived()).toHaveLength(1);
  });

  it('that were put in place of another one while that was archived are in too', async () => {
    await put('one.sta', [bookedHead, lineOf(5)]);
    const racing: SftpPollerOptions['intake'] = {
      receive: (bytes, statement) => stage.intake.receive(bytes, statement),
      import: (id, by) => stage.intake.import(id, by),
      file: async (id) => {
        await put('new', [bookedHead, lineOf(5), lineOf(77)]);
        await utimes(join(folder, 'new'), 1, 1);
        await rename(join(folder, 'new'), join(folder, 'one.sta'));
        return stage.intake.file(id);
      },
    };
    const on = poller(racing);
    await on.turn();
    await on.turn();
    await rm(join(folder, 'one.sta'), { force: true });
    expect(await fed()).toEqual([5, 77]);
  });

  it('that cannot be taken stay where they are, and are told of once', async () => {
    await put('empty.sta', []);
    await put('good.sta', [bookedHead, lineOf(5)]);
    const on = poller();
    for (let turn = 0; turn < 4; turn += 1) await on.turn();
    expect(troubles).toHaveLength(1);
    expect(await here()).toEqual(['empty.sta']);
    expect(await fed()).toEqual([5]);
  });

  it('are fetched whole, or not at all, when the server dies in the middle', async () => {
    const text = Array.from({ length: 60_000 }, (_, n) =>
      lineOf(n % 9, `R${n}`, { text: randomBytes(60).toString('hex') }),
    );
    await put('large.sta', [bookedHead, ...text]);
    let cut = false;
    const cutting: SftpPollerOptions['intake'] = {
      receive: (bytes, statement) =>
        stage.intake.receive(
          (async function* () {
            for await (const some of bytes) {
              yield some;
              if (!cut) {
                cut = true;
                await sshd.kill();
              }
            }
          })(),
          statement,
        ),
      import: (id, by) => stage.intake.import(id, by),
      file: (id) => stage.intake.file(id),
    };
    const on = poller(cutting);
    await on.turn();
    await expect(on.turn()).rejects.toMatchObject({ name: 'SftpError' });
    await expect(on.turn()).rejects.toMatchObject({ code: 'Unreachable' });
    expect((await stage.intake.files({ profile }, { limit: 5 })).items).toEqual([]);
    await sshd.serve();
    for (let turn = 0; turn < 2; turn += 1) await on.turn();
    expect((await fed()).length).toBe(60_000);
  });

  it('are not asked for from a server with another key: nothing is said to it', async () => {
    const before = (await sshd.log()).length;
    const wrong = `SHA256:${randomBytes(32).toString('base64').replace(/=$/, '')}`;
    const secret = 'a-password-that-is-secret';
    const on = poller(
      stage.intake,
      { hostKeySha256: wrong },
      { key: new Secret(sshd.key), password: new Secret(secret) },
    );
    const refused = await on.turn().catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'SftpError', code: 'WrongHostKey' });
    expect(String(refused)).not.toContain(secret);
    const told = (await sshd.log()).slice(before);
    expect(told).toContain('Connection from');
    expect(told).not.toMatch(/userauth-request|Failed|Accepted/);
  });

  it('are not given to who has another key of ours', async () => {
    const on = poller(stage.intake, {}, { password: new Secret('wrong-password') });
    const refused = await on.turn().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'Refused' });
    expect(JSON.stringify(refused) + String(refused)).not.toContain('wrong-password');
  });

  it.skipIf(!mayMakeUsers)('are fetched with a password', async () => {
    const password = randomBytes(12).toString('hex');
    const user = sshd.makeUser(password);
    await put('one.sta', [bookedHead, lineOf(5)]);
    await mkdir(join(folder, 'done'));
    const { chmod } = await import('node:fs/promises');
    for (const path of [join(sshd.folder, 'in'), folder, join(folder, 'done')]) await chmod(path, 0o777);
    await chmod(join(folder, 'one.sta'), 0o666);
    const on = poller(stage.intake, { user }, { password: new Secret(password) });
    await on.turn();
    expect(await on.turn()).toMatchObject({ taken: 1 });
    expect(await fed()).toEqual([5]);
  });

  it('are asked for in vain where nobody answers: within the time-out', async () => {
    const { createServer } = await import('node:net');
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const began = performance.now();
    await expect(poller(stage.intake, { port, timeoutMs: 300 }).turn()).rejects.toMatchObject({ name: 'SftpError' });
    expect(performance.now() - began).toBeLessThan(3_000);
    silent.close();
  });

  it('leave nothing of the keys in what the server writes down or we say', async () => {
    expect(troubles.join('\n')).not.toContain('PRIVATE KEY');
    expect(await readFile(join(sshd.folder, 'log'), 'utf8')).not.toContain('PRIVATE KEY');
  });
});
