import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';
import { MigrationError, SchemaTooNewError } from './errors.ts';

/** The migrations of one module: files `0001_name.sql`, `0002_…` in a folder. */
export interface MigrationSet {
  module: string;
  folder: URL;
}

export interface Migration {
  module: string;
  number: number;
  /** The file's name without `.sql`. */
  name: string;
}

interface MigrationFile extends Migration {
  sql: string;
  checksum: string;
}

/** Session advisory lock: (`kora` in ASCII, migrations). */
const lockKeys = [0x6b6f7261, 3];

/**
 * Brings the database to the schema of this build: runs the migrations that it lacks, the sets in the given order and each set
 * by number, every file once and in a transaction of its own. Of several processes one migrates while the others wait.
 *
 * Everything is checked before anything runs.
 *
 * @param client a connection that nobody else uses meanwhile
 * @returns what was applied now
 * @throws SchemaTooNewError when a newer build migrated this database
 * @throws MigrationError when an applied file was changed, a number is missing, or a file fails
 */
export async function migrate(client: pg.ClientBase, sets: readonly MigrationSet[]): Promise<Migration[]> {
  const known = (await Promise.all(sets.map(readSet))).flat();
  await client.query('SELECT pg_advisory_lock($1, $2)', lockKeys);
  try {
    await client.query(`
      CREATE SCHEMA IF NOT EXISTS kora_meta;
      CREATE TABLE IF NOT EXISTS kora_meta.migrations (
        module     text        NOT NULL,
        number     integer     NOT NULL,
        name       text        NOT NULL,
        checksum   text        NOT NULL, -- sha256 of the file, hex
        applied_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (module, number)
      )`);
    const pending = await findPending(client, known);
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ module, number, name }) => ({ module, number, name }));
  } finally {
    // On a lost connection the lock is gone already, and the first error is the one to tell.
    await client.query('SELECT pg_advisory_unlock($1, $2)', lockKeys).catch(() => undefined);
  }
}

async function findPending(client: pg.ClientBase, known: MigrationFile[]): Promise<MigrationFile[]> {
  const { rows: applied } = await client.query<Migration & { checksum: string }>(
    'SELECT module, number, name, checksum FROM kora_meta.migrations ORDER BY module, number',
  );
  const keyOf = ({ module, number }: Migration) => `${module}/${number}`;
  const files = new Map(known.map((file) => [keyOf(file), file]));
  const unknown = applied.filter((row) => !files.has(keyOf(row)));
  if (unknown.length > 0) throw new SchemaTooNewError(unknown);
  for (const row of applied) {
    const file = files.get(keyOf(row));
    if (file?.checksum !== row.checksum) {
      throw new MigrationError(
        `migration ${row.module}/${row.name} was changed after it was applied to this database: restore the file, and put the change into a new one`,
      );
    }
    files.delete(keyOf(row));
  }
  return [...files.values()];
}

async function apply(client: pg.ClientBase, { module, number, name, sql, checksum }: MigrationFile): Promise<void> {
  await client.query('BEGIN');
  try {
    const transaction = await currentTransaction(client);
    // No parameters, so the whole file goes as one simple query, dollar quotes and all.
    await client.query(sql);
    if ((await currentTransaction(client)) !== transaction)
      throw new Error('it must not begin or end transactions itself');
    await client.query('INSERT INTO kora_meta.migrations (module, number, name, checksum) VALUES ($1, $2, $3, $4)', [
      module,
      number,
      name,
      checksum,
    ]);
    await client.query('COMMIT');
  } catch (cause) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw new MigrationError(
      `migration ${module}/${name} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
  }
}

async function currentTransaction(client: pg.ClientBase): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
  return rows[0]?.id;
}

async function readSet({ module, folder }: MigrationSet): Promise<MigrationFile[]> {
  const base = folder.href.endsWith('/') ? folder : new URL(`${folder.href}/`);
  const names = (await readdir(base)).filter((name) => name.endsWith('.sql')).sort();
  return await Promise.all(
    names.map(async (fileName, index) => {
      const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(fileName)?.[1] ?? NaN);
      // Dense, so that a file lost in a merge or given a number twice is noticed.
      if (number !== index + 1) {
        throw new MigrationError(
          `${module}/${fileName} should be called ${String(index + 1).padStart(4, '0')}_<name>.sql: migrations are numbered 0001, 0002, …`,
        );
      }
      const bytes = await readFile(new URL(fileName, base));
      const checksum = createHash('sha256').update(bytes).digest('hex');
      return { module, number, name: fileName.slice(0, -'.sql'.length), sql: bytes.toString('utf8'), checksum };
    }),
  );
}
