import { chmod, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrationSets } from '../../src/platform/migrations.ts';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { migrate } from '../../src/platform/postgres/migrate.ts';
import type { Case } from './case.ts';
import { median } from '../load/percentiles.ts';

const template = 'bench_template';

export interface FreshDatabase {
  readonly database: pg.ClientConfig & { readonly database: string };
  readonly databaseUrl: string;
}

/** A Postgres of the bench's own in a temporary folder, with the product's binaries and settings. */
export class BenchCluster {
  readonly #postgres: EmbeddedPostgres;
  readonly #folder: string;
  #databases = 0;

  private constructor(postgres: EmbeddedPostgres, folder: string) {
    this.#postgres = postgres;
    this.#folder = folder;
  }

  static async open(): Promise<BenchCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'kora-bench-'));
    // Started by root, Postgres runs as another user, who must get in.
    await chmod(folder, 0o755);
    try {
      const postgres = await openEmbeddedPostgres({ dataDir: join(folder, 'data'), role: 'instance' });
      const cluster = new BenchCluster(postgres, folder);
      await cluster.#makeTemplate();
      return cluster;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get postmasterPid(): number {
    return this.#postgres.postmasterPid;
  }

  /** A database that nobody has used, and a settled server. */
  async freshDatabase(kind: Case['database']): Promise<FreshDatabase> {
    const database = `bench_${++this.#databases}`;
    await this.#query(`create database ${database}${kind === 'product' ? ` template ${template}` : ''}`);
    await this.#query('checkpoint');
    const { host, port, user } = this.#postgres.clientConfig;
    const databaseUrl = `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`;
    return { database: { ...this.#postgres.clientConfig, database }, databaseUrl };
  }

  async drop({ database }: FreshDatabase): Promise<void> {
    await this.#query(`drop database ${database.database} with (force)`);
  }

  async setting(name: string): Promise<string> {
    const { rows } = await this.#query<{ setting: string }>('select current_setting($1) as setting', [name]);
    return rows[0]?.setting ?? '';
  }

  /** How long the disk takes to make a page durable: the median of a hundred writes with fsync, in the data's folder. */
  async fsyncMs(): Promise<number> {
    const file = await open(join(this.#folder, 'fsync'), 'w');
    const page = Buffer.alloc(8_192, 1);
    const times: number[] = [];
    for (let index = 0; index < 100; index++) {
      const startedAt = performance.now();
      await file.write(page, 0, page.length, index * page.length);
      await file.datasync();
      times.push(performance.now() - startedAt);
    }
    await file.close();
    return median(times);
  }

  async close(): Promise<void> {
    await this.#postgres.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** On a connection of its own: a case may restart the server. */
  async #query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<Row>> {
    const client = new pg.Client({ ...this.#postgres.clientConfig, database: 'postgres' });
    await client.connect();
    try {
      return await client.query<Row>(text, values);
    } finally {
      await client.end();
    }
  }

  async #makeTemplate(): Promise<void> {
    await this.#query(`create database ${template}`);
    const client = new pg.Client({ ...this.#postgres.clientConfig, database: template });
    await client.connect();
    await migrate(client, migrationSets);
    await client.end();
  }
}
