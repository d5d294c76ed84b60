import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { archiveCommand, restoreCommand } from './wal-archive.ts';

/** Proves what the commands that Postgres is given do to an archive, whatever its path is called. */
describe('archiving a segment', () => {
  let base: string;
  let archive: string;

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'kora-archive-'));
    archive = join(base, `100 % 'sure' $HOME`);
    await mkdir(archive);
    await writeFile(join(base, 'segment'), 'what was written');
  });
  afterEach(() => rm(base, { recursive: true }));

  /** As Postgres does it. */
  const filled = (command: string, path: string): string =>
    command.replaceAll('%p', path).replaceAll('%f', '0001').replaceAll('%%', '%');
  const run = (command: string, path = 'segment'): number | null =>
    spawnSync('/bin/sh', ['-c', filled(command, path)], { cwd: base }).status;

  test('copies it whole, and the same one again does nothing', async () => {
    expect(run(archiveCommand(archive))).toBe(0);
    expect(run(archiveCommand(archive))).toBe(0);
    expect(await readdir(archive)).toEqual(['0001']);
    expect(run(restoreCommand(archive), 'restored')).toBe(0);
    expect(await readFile(join(base, 'restored'), 'utf8')).toBe('what was written');
  });

  test('never overwrites another one', async () => {
    await writeFile(join(archive, '0001'), 'of another history');
    expect(run(archiveCommand(archive))).not.toBe(0);
    expect(await readFile(join(archive, '0001'), 'utf8')).toBe('of another history');
  });

  test('goes on after it was killed half way', async () => {
    await writeFile(join(archive, '.0001.part'), 'what was wri');
    expect(run(archiveCommand(archive))).toBe(0);
    expect(await readdir(archive)).toEqual(['0001']);
    // Linked, and killed before the other name was gone.
    execFileSync('ln', [join(archive, '0001'), join(archive, '.0001.part')]);
    expect(run(archiveCommand(archive))).toBe(0);
    expect(await readdir(archive)).toEqual(['0001']);
  });

  test('fails while the archive is not there, and makes none', async () => {
    await rm(archive, { recursive: true });
    expect(run(archiveCommand(archive))).not.toBe(0);
    expect(await readdir(base)).toEqual(['segment']);
  });

  test('a segment that is not there is the end; one that cannot be read stops the recovery', async () => {
    expect(run(restoreCommand(archive), 'restored')).toBe(1);
    await mkdir(join(archive, '0001'));
    expect(run(restoreCommand(archive), 'restored')).toBe(200);
  });
});
