import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConnectorsConfig, connectorKinds } from '../../src/connectors/index.ts';
import { termsOf } from '../../src/connectors/statements/profile-statements.ts';
import { partsOf } from '../../src/connectors/statements/read-file.ts';
import { moduleRoles } from '../../src/modules.ts';
import { asRole } from '../../src/platform/postgres/module-roles.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type IntakeStage, intakeStage, tester } from './support/intake.ts';

/**
 * Proves that what is in the feed is what the readers read, to the last minor unit, for every sample file of banks. Without
 * KORA_DATA, which names the folder of sample data, there is nothing to take in.
 */
const data = process.env['KORA_DATA'];

describe.skipIf(data === undefined)('sample files of banks (KORA_DATA)', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let stage: IntakeStage;
  const terms = (id: string) => {
    const profile = { id, bank_name: 'A bank', supported_rails: [], statements: { currency: 'EUR' } };
    const [filled] = parseConnectorsConfig({ profiles: [profile], connectors: [] }, connectorKinds()).profiles;
    return filled && termsOf(filled);
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new pg.Pool(asRole(database.poolConfig, moduleRoles.providers.role));
    stage = await intakeStage(pool, { terms });
    stage.intake.tellStatuses(() => Promise.resolve(false));
  });
  afterAll(async () => {
    await stage.stop();
    await pool.end();
    await database.drop();
  });

  it('come in as they were read', async () => {
    const folder = join(data ?? '', 'statements');
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const came: Record<string, number> = {};
    for (const [index, file] of files.entries()) {
      const profile = `bank:sample-${index}`;
      const open = (): AsyncIterable<Uint8Array> => createReadStream(file);
      let expected: bigint[] | undefined;
      try {
        const readers = await terms(profile)?.look(open);
        if (readers?.kind === 'status-report') expected = [];
        if (readers?.kind === 'statements') {
          const amounts: bigint[] = [];
          for await (const parts of partsOf(open(), readers.reader())) {
            for (const part of parts) if (part.part === 'line') amounts.push(part.line.amount);
          }
          expected = amounts;
        }
      } catch (error) {
        expect(error, file).toMatchObject({ name: 'StatementUnreadableError' });
      }
      const statement = { profile, origin: 'cli', fileName: 'sample', by: tester } as const;
      const received = await stage.intake
        .receive(open(), statement)
        .catch((error: unknown) => error as { code: string });
      if ('code' in received) {
        expect(received.code, file).toBe('FileEmpty');
        continue;
      }
      const { status } = await stage.intake.import(received.id, tester);
      came[status] = (came[status] ?? 0) + 1;
      const { rows } = await pool.query<{ amount: string }>(
        `select amount from providers.bank_statement_lines where raw_statement_id = $1 order by ordinal`,
        [received.id],
      );
      expect(status === 'unreadable', file).toBe(expected === undefined);
      expect(
        rows.map(({ amount }) => BigInt(amount)),
        file,
      ).toEqual(expected ?? []);
    }
    // Most samples were made up, and do not add up: they are kept, and held.
    expect(Object.keys(came).sort()).toEqual(['parsed', 'quarantined', 'unreadable']);
  });
});
