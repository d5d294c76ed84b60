import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogHead } from '../../eventstore/postgres/read-head.ts';
import { startCheckpoints } from './recurring-checkpoints.ts';

/** Checkpoints are written while the head moves, and what fails stops nothing. */
describe('recurring checkpoints', () => {
  let base: string;
  let folder: string;
  let head: LogHead | undefined;
  const errors: unknown[] = [];
  const files: string[] = [];
  const patience = { timeout: 30_000, interval: 5 };

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'kora-recurring-'));
    folder = join(base, 'checkpoints');
    head = undefined;
    errors.length = files.length = 0;
  });
  afterEach(() => rm(base, { recursive: true }));

  const start = () => {
    let looks = 0;
    const running = startCheckpoints({
      readHead: () => {
        looks += 1;
        return Promise.resolve(head);
      },
      folder,
      key: generateKeyPairSync('ed25519'),
      everyMs: 1,
      onWritten: (_checkpoint, file) => files.push(file),
      onError: (error) => errors.push(error),
    });
    return { running, looks: () => looks };
  };
  const headAt = (position: number): LogHead => ({
    position,
    count: 2,
    hash: Buffer.alloc(32, position),
    recordedAtMicros: 1_700_000_000_000_001n,
    firstHash: Buffer.alloc(32, 1),
  });

  it('are written for each head once', async () => {
    const { running, looks } = start();
    head = headAt(7);
    await vi.waitFor(() => expect(files).toHaveLength(1), patience);
    const seen = looks();
    await vi.waitFor(() => expect(looks()).toBeGreaterThan(seen + 3), patience);
    head = headAt(9);
    await vi.waitFor(() => expect(files).toHaveLength(2), patience);
    await running.stop();
    expect(errors).toEqual([]);
    expect((await readdir(folder)).filter((name) => name.endsWith('.json'))).toHaveLength(2);
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('go on when the folder is there again', async () => {
    await writeFile(folder, 'a file where the folder should be');
    head = headAt(7);
    const { running } = start();
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1), patience);
    await rm(folder);
    await mkdir(folder);
    await vi.waitFor(() => expect(files).toHaveLength(1), patience);
    await running.stop();
  });
});
