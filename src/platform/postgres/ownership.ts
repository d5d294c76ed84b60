import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { InstanceRunningError } from './errors.ts';
import { processExists } from './processes.ts';

/**
 * `instance` serves: one per data folder. `tool` reads or repairs beside it.
 */
export type Role = 'instance' | 'tool';

/** Session advisory locks in the database `postgres`: (`kora` in ASCII, one of these). */
const lockSpace = 0x6b6f7261;
const inUse = 1;
const serving = 2;

/** A killed process's backend notices within milliseconds that its client is gone; a busy machine may need longer. */
const deadHolderLimitMs = 10_000;

/**
 * Who uses a server, told by locks that die with their holder: each process holds `inUse` shared, the instance also `serving`
 * alone. They are taken and given back under the folder's lock, so a closer that finds `inUse` free knows that nobody is about
 * to come in.
 */
export class Ownership {
  readonly #client: pg.Client;
  #isLost = false;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /**
   * @param onLost called when the connection ends before `release`, and the locks with it
   * @throws InstanceRunningError when `role` is `instance` and another process is it
   */
  static async take(config: pg.ClientConfig, role: Role, dataDir: string, onLost: () => void): Promise<Ownership> {
    const client = new pg.Client({ ...config, application_name: `kora ${role} ${process.pid}` });
    const ownership = new Ownership(client);
    client.on('error', () => undefined);
    client.on('end', () => {
      ownership.#isLost = true;
      onLost();
    });
    await client.connect();
    try {
      if (role === 'instance' && !(await ownership.#tryAlone(serving))) {
        throw new InstanceRunningError(dataDir, (await ownership.#holders(serving))[0] ?? 'just ended');
      }
      await client.query('SELECT pg_advisory_lock_shared($1, $2)', [lockSpace, inUse]);
      return ownership;
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  async query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]> {
    return (await this.#client.query<Row>(text, values)).rows;
  }

  /** Whether nobody else uses the server. If so nobody can come in until `shareAgain` or `release`. */
  async isAlone(): Promise<boolean> {
    await this.query('SELECT pg_advisory_unlock_shared($1, $2)', [lockSpace, inUse]);
    return await this.#tryAlone(inUse);
  }

  async shareAgain(): Promise<void> {
    await this.query('SELECT pg_advisory_lock_shared($1, $2)', [lockSpace, inUse]);
    await this.query('SELECT pg_advisory_unlock($1, $2)', [lockSpace, inUse]);
  }

  async release(): Promise<void> {
    // One that the server has ended says why, and is ended all the same.
    await this.#client.end().catch(() => undefined);
  }

  /** Waits for holders whose process is already dead, and for nobody else. */
  async #tryAlone(lock: number): Promise<boolean> {
    const deadline = performance.now() + deadHolderLimitMs;
    for (;;) {
      const [row] = await this.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS taken', [
        lockSpace,
        lock,
      ]);
      if (row?.taken === true) return true;
      const holders = await this.#holders(lock);
      if (holders.some(isAliveHolder) || performance.now() > deadline) return false;
      await sleep(20);
    }
  }

  async #holders(lock: number): Promise<string[]> {
    const rows = await this.query<{ name: string }>(
      `SELECT a.application_name AS name
         FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.objid = $2 AND l.objsubid = 2 AND l.granted AND pid <> pg_backend_pid()`,
      [lockSpace, lock],
    );
    return rows.map((row) => row.name);
  }
}

/** Names that are not ours count as alive. */
function isAliveHolder(name: string): boolean {
  const pid = Number(name.split(' ').at(-1));
  return !(Number.isInteger(pid) && pid > 0) || processExists(pid);
}
