import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogHead } from '../../eventstore/postgres/read-head.ts';
import { syncPath, writeDurably } from '../platform/durable-file.ts';
import { endOf, renderCheckpoint, type SignedCheckpoint, signCheckpoint } from './checkpoint.ts';
import { type CheckpointKey, publicKeyFile, publicPem } from './key.ts';

/**
 * Signs the head of the log and writes it to the folder, with the public key beside it. The name says position and hash:
 * a head is written once however many processes do it, and a history that was made anew never replaces what was signed of
 * the old one.
 *
 * @returns the file, and the checkpoint unless this head was there already
 */
export async function writeCheckpoint(
  head: LogHead,
  { folder, key, now }: { readonly folder: string; readonly key: CheckpointKey; readonly now: Date },
): Promise<{ readonly file: string; readonly written?: SignedCheckpoint }> {
  await mkdir(folder, { recursive: true });
  const publicFile = join(folder, publicKeyFile(key));
  if (!(await isThere(publicFile))) await writeDurably(publicFile, publicPem(key));
  const hash = head.hash.toString('hex');
  const file = join(folder, `checkpoint-${String(endOf(head)).padStart(16, '0')}-${hash.slice(0, 12)}.json`);
  if (await isThere(file)) return { file };
  const { position, count, firstHash, recordedAtMicros } = head;
  const written = signCheckpoint(
    {
      log: firstHash.toString('hex'),
      position,
      count,
      hash,
      recordedAt: instantOf(recordedAtMicros),
      signedAt: now.toISOString(),
    },
    key,
  );
  await writeDurably(file, renderCheckpoint(written));
  await syncPath(folder);
  return { file, written };
}

function instantOf(micros: bigint): string {
  const text = new Date(Number(micros / 1000n)).toISOString();
  return `${text.slice(0, -1)}${String(micros % 1000n).padStart(3, '0')}Z`;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
