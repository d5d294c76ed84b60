import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { StatementIntake, type IntakeOptions } from '../../../src/connectors/statements/intake.ts';
import type { StatementTerms } from '../../../src/connectors/statements/ports.ts';
import { StatementKeys } from '../../../src/connectors/statements/statement-keys.ts';
import { readKeyring } from '../../../src/identity/index.ts';
import { FolderStore } from '../../../src/platform/object-store/folder-store.ts';
import { SealedObjects } from '../../../src/platform/object-store/sealed-objects.ts';
import { PlainReader } from './plain-format.ts';

export const keyText = `k1:${randomBytes(32).toString('base64url')}`;
export const tester = { actor: 'user:tester', reason: 'a test' };

export interface IntakeStage {
  readonly intake: StatementIntake;
  readonly keys: StatementKeys;
  readonly folder: string;
  /** As a process that comes after one that died: nothing of it is in memory. */
  again(options?: Partial<IntakeOptions>): StatementIntake;
  take(profile: string, lines: readonly string[], on?: StatementIntake): Promise<{ id: string; duplicate: boolean }>;
  stop(): Promise<void>;
}

/** An intake on a folder of its own, whose files are in a format without dialects. */
export async function intakeStage(
  pool: pg.Pool,
  { folder: given, keyring = keyText, ...options }: Partial<IntakeOptions> & { folder?: string; keyring?: string } = {},
): Promise<IntakeStage> {
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'kora-intake-')));
  const keys = new StatementKeys(pool, readKeyring(keyring));
  const objects = new SealedObjects({
    store: new FolderStore(join(folder, 'objects')),
    keys,
    spoolDir: join(folder, 'spool'),
  });
  await objects.prepare();
  const again = (more: Partial<IntakeOptions> = {}): StatementIntake =>
    new StatementIntake({ pool, objects, keys, terms: termsOf, bytesMax: 100_000_000, ...options, ...more });
  const intake = again();
  return {
    intake,
    keys,
    folder,
    again,
    take: async (profile, lines, on = intake) => {
      const received = await on.receive(bytesOf(lines), {
        profile,
        origin: 'upload',
        fileName: 'STATEMENT-DE89370400440532013000.sta',
        by: tester,
      });
      await on.import(received.id, tester);
      return received;
    },
    stop: async () => {
      await intake.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** `…:unique`: the bank never gives a reference twice; `…:delta`: its reports hold what is new. */
function termsOf(profile: string): StatementTerms | undefined {
  if (profile === 'bank:nobody') return undefined;
  return {
    look: () => Promise.resolve({ kind: 'statements', reader: () => new PlainReader() }),
    bankReferencesUnique: profile.endsWith(':unique'),
    reports: profile.endsWith(':delta') ? 'delta' : 'cumulative',
  };
}

export async function* bytesOf(lines: readonly string[]): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(lines.join('\n')));
}
