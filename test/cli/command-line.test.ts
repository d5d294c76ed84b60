import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { configOptions, defaultOf } from '../../src/platform/config-options.ts';
import { type Ended, kora, launcher, oldNode } from './kora-process.ts';
import { koraHere } from './kora-here.ts';

// The command line as its user meets it: the launcher, help, and what cannot be right, told before anything is touched.

const commands = [
  'serve',
  'demo',
  'replay',
  'balance',
  'timeline',
  'payouts',
  'connectors',
  'verify',
  'checkpoint',
  'backup',
  'restore',
  'rebuild',
  'token',
  'identity',
  'webhooks',
  'cases',
  'reconciliation',
];

describe('help', () => {
  test('lists every command, setting and exit code', async () => {
    const { code, stdout, stderr } = await kora(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    for (const { env } of Object.values(configOptions)) expect(stdout).toContain(env);
    for (const { code: exitCode } of Object.values(exitCodes))
      expect(stdout).toMatch(new RegExp(`^  ${exitCode} `, 'm'));
  });

  test.each(commands)('%s has one with examples', async (command) => {
    const { code, stdout, stderr } = await koraHere([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Examples:');
  });

  test('docs/cli.md names every command, flag, setting and exit code', async () => {
    const text = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8');
    // However wide its columns are.
    const docs = text.replace(/ +/g, ' ');
    for (const option of Object.values(configOptions)) {
      const { env, flag } = option;
      const fallback = defaultOf(option);
      expect(docs).toContain(`\`${env}\``);
      if (flag !== undefined) expect(docs).toContain(`\`${flag}\``);
      if (fallback !== undefined) expect(docs).toContain(`| \`${fallback}\` |`);
    }
    for (const { code } of Object.values(exitCodes)) expect(docs).toContain(`| \`${code}\` |`);
    for (const command of commands) {
      const { stdout } = await koraHere([command, '--help']);
      for (const [flag] of stdout.matchAll(/(?<=^ {2}(?:-\w, )?)--[a-z-]+/gm)) expect(docs).toContain(flag);
    }
  });
});

describe('what cannot be right', () => {
  test.each([
    [['serv'], "unknown command 'serv'"],
    [['balance'], "missing required argument 'account'"],
    [['balance', 'a', '--nope'], "unknown option '--nope'"],
    [['balance', 'a', '--at', '2026-01-31', '--position', '7'], 'cannot be used with option'],
    [['balance', 'a', '--at', '2026-02-30'], '--at: a day as 2026-01-31'],
    [['balance', 'a', '--position', 'last'], '--position: a number'],
    [['rebuild', 'ledgers'], 'Allowed choices are'],
    [['projections', 'retry'], 'projections retry: the name of a projection is wanted'],
    [['projections', 'retry', 'ledgers'], 'Allowed choices are'],
    [['projections', 'stop'], 'Allowed choices are list, retry'],
    [['token', '--service', 'shop', '--ttl', 'long'], '--ttl: a time as'],
    [['identity', 'promote', '+221771234567', 'admin'], 'Allowed choices are grant, revoke, reseal'],
    [['identity', 'grant', '+221771234567', 'king'], 'Allowed choices are customer'],
    [['identity', 'grant', '+221771234567'], 'identity grant: a login and a role are wanted'],
    [['webhooks', 'tell'], 'Allowed choices are list, add, remove'],
    [['webhooks', 'add'], 'webhooks add: a URL is wanted'],
    [['webhooks', 'replay'], 'webhooks replay: the id of a webhook is wanted'],
    [['webhooks', 'replay', 'wh_1', '--from', 'today'], '--from: an instant as'],
    [['serve', '--rpc-port', '70000'], '--rpc-port: an integer from 0 to 65535 is wanted'],
  ])('%j is refused as usage', async (args, message) => {
    const { code, stdout, stderr } = await koraHere(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('a setting is refused by the name of its variable, without its value when that may be a secret', async () => {
    const wrong = await kora(['serve'], { env: { KORA_RESIDENTS_MAX: 'many' } });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('KORA_RESIDENTS_MAX: an integer from 100 on is wanted, not "many"');
    const secret = await kora(['serve'], { env: { DATABASE_URL: 'kora:secret@db' } });
    expect(secret.code).toBe(2);
    expect(secret.stderr).toContain('DATABASE_URL: a URL is wanted');
    expect(secret.stderr).not.toContain('secret');
  });

  test('tools find nothing where nothing was recorded, and make nothing there', async () => {
    const folder = join(tmpdir(), `kora-nowhere-${process.pid}`);
    for (const args of [
      ['balance', 'a'],
      ['timeline', 'p'],
      ['rebuild', 'all'],
      ['verify'],
      ['checkpoint'],
      ['backup', '--to', `${folder}-backup`],
      ['token', '--service', 's'],
      ['identity', 'grant', '+221771234567', 'admin'],
      ['identity', 'reseal'],
    ]) {
      const { code, stderr } = await koraHere([...args, '--data-dir', folder]);
      expect(code).toBe(1);
      expect(stderr).toContain(`there is no data folder ${folder}`);
    }
  });

  test('a database that cannot be reached is a failure in one sentence', async () => {
    const { code, stderr } = await kora(['balance', 'a'], {
      env: { DATABASE_URL: 'postgresql://kora@127.0.0.1:1/kora' },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^kora: the PostgreSQL of DATABASE_URL cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:1\n$/,
    );
  });
});

describe('the launcher', () => {
  test('starts the pinned Node from one that does not run TypeScript, with its exit code', async () => {
    const version = await kora(['--version'], { nodeFlags: oldNode });
    expect(version).toMatchObject({ code: 0, stderr: '' });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await kora(['nope'], { nodeFlags: oldNode })).code).toBe(2);
  });

  test('keeps what Node compiled beside the modules, for the next start', async () => {
    const compiled = fileURLToPath(new URL('../../node_modules/.cache/kora', import.meta.url));
    for (const nodeFlags of [[], oldNode]) {
      // What Node says of each module; it goes to the process that `oldNode` has the launcher start, too.
      const run = (): Promise<Ended> => kora(['--version'], { nodeFlags, env: { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' } });
      await run();
      const { code, stderr, stdout } = await run();
      expect(code).toBe(0);
      expect(stdout + stderr).toContain(compiled);
      expect(stdout + stderr).toMatch(/src\/cli\/program\.ts was accepted/);
    }
  });

  test('keeps modules without their types as well, and takes a module that was changed as it is now', async () => {
    const clone = await mkdtemp(join(tmpdir(), 'kora-clone-'));
    try {
      await cp(dirname(launcher), join(clone, 'ops/bin'), { recursive: true });
      await mkdir(join(clone, 'src'));
      await writeFile(join(clone, 'package.json'), '{"type":"module"}');
      const main = join(clone, 'src/main.ts');
      const run = (): Promise<Ended> => kora([], { launcher: join(clone, 'ops/bin/kora.js') });
      const failing = (word: string): string =>
        `interface A { b: string }\nconst a: A = { b: '${word}' };\nthrow new Error(a.b);`;
      const kept = join(clone, `node_modules/.cache/kora/stripped-${process.version}`);
      for (const [word, modules] of [
        ['one', 1],
        ['one', 1],
        ['two', 2],
      ] as const) {
        await writeFile(main, failing(word));
        const { stderr } = await run();
        expect(stderr).toContain(`Error: ${word}\n    at file://${main}:3:7`);
        expect(stderr).not.toContain('Warning');
        expect(await readdir(kept)).toHaveLength(modules);
      }
      // Where nothing can be kept it starts all the same.
      await rm(join(clone, 'node_modules'), { recursive: true });
      await writeFile(join(clone, 'node_modules'), '');
      expect((await run()).stderr).toContain('Error: two');
    } finally {
      await rm(clone, { recursive: true });
    }
  });

  test('says what to do when the pinned Node is not installed', async () => {
    const clone = await mkdtemp(join(tmpdir(), 'kora-clone-'));
    try {
      await cp(dirname(launcher), join(clone, 'ops/bin'), { recursive: true });
      await writeFile(join(clone, 'package.json'), '{"type":"module"}');
      const { code, stdout, stderr } = await kora(['serve'], {
        nodeFlags: oldNode,
        launcher: join(clone, 'ops/bin/kora.js'),
      });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain(`\`npm ci\` in ${clone}`);
    } finally {
      await rm(clone, { recursive: true });
    }
  });
});
