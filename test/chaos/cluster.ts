import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';

/** How long an append is waited for that could be broken in its middle. */
const appendPatienceMs = 2_000;

/** The Postgres of a run: of our own, durable (fsync stays on), started again as soon as it is gone. */
export class Cluster {
  readonly #postgres: EmbeddedPostgres;

  private constructor(postgres: EmbeddedPostgres) {
    this.#postgres = postgres;
  }

  static async open(dataDir: string, log: (message: string) => void): Promise<Cluster> {
    const settings = { shared_buffers: '64MB', max_connections: 200, max_wal_size: '1GB', min_wal_size: '80MB' };
    return new Cluster(await openEmbeddedPostgres({ dataDir, role: 'instance', settings, log }));
  }

  get url(): string {
    return this.#postgres.connectionString;
  }

  get config(): pg.ClientConfig {
    return this.#postgres.clientConfig;
  }

  /**
   * Kills the server process that is appending at this moment; one that has appended, where none is met.
   *
   * @returns what was met; undefined: there was nothing to kill
   */
  async killAppender(): Promise<'in the middle of an append' | 'between two appends' | undefined> {
    const client = new pg.Client(this.config);
    client.on('error', () => undefined);
    try {
      await client.connect();
      const until = performance.now() + appendPatienceMs;
      let idle: number | undefined;
      while (performance.now() < until) {
        const { rows } = await client.query<{ pid: number; state: string }>(
          `select pid, state from pg_stat_activity
           where query like '%eventstore.append%' and pid <> pg_backend_pid() order by state`,
        );
        const active = rows.find(({ state }) => state === 'active');
        if (active !== undefined && this.#kill(active.pid)) return 'in the middle of an append';
        idle = rows[0]?.pid ?? idle;
      }
      return idle !== undefined && this.#kill(idle) ? 'between two appends' : undefined;
    } catch {
      return undefined;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Kills the postmaster and every process of it, as a machine that loses its power would. */
  killServer(): void {
    const postmaster = this.#postgres.postmasterPid;
    const pids = [postmaster, ...childrenOf(postmaster)];
    for (const pid of pids) kill(pid);
  }

  /** Waits until it takes connections again. */
  async answers(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const client = new pg.Client({ ...this.config, connectionTimeoutMillis: 5_000 });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.query('select 1');
        return;
      } catch {
        await sleep(50);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }

  close(): Promise<void> {
    return this.#postgres.close();
  }

  /** Only a child of our own postmaster: a number may have been given to somebody else meanwhile. */
  #kill(pid: number): boolean {
    return childrenOf(this.#postgres.postmasterPid).includes(pid) && kill(pid);
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === parent)
    .map(Number);
}

/** The fourth field of /proc/<pid>/stat, counted from behind the name, which may hold anything. */
function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
