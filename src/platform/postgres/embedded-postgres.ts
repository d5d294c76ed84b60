import { setTimeout as sleep } from 'node:timers/promises';
import { findBinaries, type PostgresBinaries } from './binaries.ts';
import { createClusterIfMissing, openDataFolder, productDatabase, type ClusterFolder } from './cluster-folder.ts';
import { EmbeddedPostgresError, InstanceRunningError } from './errors.ts';
import { lockFolder } from './folder-lock.ts';
import { Ownership, type Role } from './ownership.ts';
import { adopt, clientConfig, startOrAdopt, stopPostmaster, type Postmaster } from './postmaster.ts';
import { archiveOf, archiveSettings, chooseArchive } from './wal-archive.ts';
import { fingerprint, fingerprintSetting, serverSettings, type PostgresSettings } from './settings.ts';
import { codeOf } from './system-errors.ts';

/** Longer than any start or stop of Postgres may take. */
const folderLockLimitMs = 6 * 60_000;

/** How long somebody else may keep stopping the server while we open or close it. */
const enterLimitMs = 20_000;

const healDelayMs = { first: 50, longest: 5000 };

export interface EmbeddedPostgresOptions {
  /** Created if missing. One Postgres runs in it at a time. */
  dataDir: string;
  /** `instance` serves and is refused beside another; any number of tools may come and go. */
  role: Role;
  /** Postgres settings that differ from `serverSettings`. */
  settings?: PostgresSettings;
  /** The write-ahead log is archived there from now on, or no more (`off`). Default: as before. */
  archiveDir?: string | undefined;
  /** Told, in sentences, of what takes time or is out of the ordinary. Default: nobody. */
  log?: (message: string) => void;
  /** Told that another instance took over the folder while our Postgres was down. The product should end. */
  onInstanceLost?: (error: InstanceRunningError) => void;
}

export interface EmbeddedPostgres {
  /** Reaches the database `kora`. It stays right when Postgres is restarted. */
  readonly clientConfig: Readonly<{ host: string; port: number; user: string; database: string; ssl: false }>;
  /** The same for psql and the like. */
  readonly connectionString: string;
  /** Postgres was running already, left over from a killed process or shared with a living one. */
  readonly adopted: boolean;
  /** Changes when Postgres had to be started again. */
  readonly postmasterPid: number;
  /**
   * Leaves; the last one out stops Postgres, which cuts off whoever is still connected: drain first. May be called twice.
   * Rejects when the folder cannot be locked, or the server is there and cannot be asked.
   */
  close(): Promise<void>;
}

/**
 * Opens the Postgres of a data folder: creates it at first, starts it if it does not run, adopts it if it does.
 *
 * While it is open a lost server is started again at once, so that clients need only connect anew.
 *
 * @throws InstanceRunningError when `role` is `instance` and another process is it
 * @throws EmbeddedPostgresError when Postgres cannot be started; the message says what to do
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = findBinaries();
  try {
    const folder = await openDataFolder(options.dataDir);
    const server = new Server(folder, binaries, options);
    await server.open();
    return server;
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
    throw new EmbeddedPostgresError(
      `no access to the data folder ${options.dataDir} (${String(error)}): ` +
        'start kora as the user who owns it, or choose another --data-dir',
      { cause: error },
    );
  }
}

class Server implements EmbeddedPostgres {
  readonly #folder: ClusterFolder;
  readonly #binaries: PostgresBinaries;
  readonly #options: EmbeddedPostgresOptions;
  #settings: PostgresSettings;
  readonly #log: (message: string) => void;
  #adopted = false;
  #postmaster: Postmaster | undefined;
  #ownership: Ownership | undefined;
  #healing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(folder: ClusterFolder, binaries: PostgresBinaries, options: EmbeddedPostgresOptions) {
    this.#folder = folder;
    this.#binaries = binaries;
    this.#options = options;
    this.#settings = serverSettings(options.settings);
    this.#log = options.log ?? (() => undefined);
  }

  get adopted(): boolean {
    return this.#adopted;
  }

  get postmasterPid(): number {
    return this.#running().pid;
  }

  get clientConfig(): EmbeddedPostgres['clientConfig'] {
    return clientConfig(this.#running().socketFolder, productDatabase);
  }

  get connectionString(): string {
    const { host, port, user, database } = this.clientConfig;
    return `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`;
  }

  async open(): Promise<void> {
    await this.#locked(async () => {
      try {
        // Here and never while healing: a folder that was deleted under us must not come back empty.
        await createClusterIfMissing(this.#folder, this.#binaries, this.#log);
        await this.#readArchive();
        await this.#enter();
        const { adopted, pid } = this.#running();
        this.#adopted = adopted;
        this.#log(
          `${adopted ? 'found Postgres running' : 'started Postgres'} in ${this.#folder.dataDir} (process ${pid})`,
        );
        // Only the instance minds how Postgres is tuned, and only before it has connections of its own.
        if (this.#options.role === 'instance' && (await this.#isOutdated())) await this.#restartIfAlone();
      } catch (error) {
        // Nobody has this server: it must not heal itself behind our back.
        this.#closing = Promise.resolve();
        await this.#release(this.#ownership);
        throw error;
      }
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  async #readArchive(): Promise<void> {
    const { archiveDir, settings } = this.#options;
    if (archiveDir !== undefined) await chooseArchive(this.#folder, this.#binaries, archiveDir);
    this.#settings = serverSettings({ ...archiveSettings(await archiveOf(this.#folder)), ...settings });
  }

  /** Starts or adopts the server and says that we use it. Tries again when somebody stops the server in between. */
  async #enter(): Promise<void> {
    const startedAt = performance.now();
    for (;;) {
      let ownership: Ownership | undefined;
      try {
        const postmaster = await startOrAdopt(this.#folder, this.#binaries, this.#settings);
        this.#postmaster = postmaster;
        ownership = await this.#take(postmaster, this.#options.role);
        await createProductDatabase(ownership);
        if (!ownership.isLost) {
          // Set only now: while there is none, the end of its connection heals nothing.
          this.#ownership = ownership;
          return;
        }
      } catch (error) {
        if (!isConnectionLoss(error) || performance.now() - startedAt > enterLimitMs) {
          await this.#release(ownership);
          throw error;
        }
      }
      await ownership?.release();
      await sleep(healDelayMs.first);
    }
  }

  #take({ socketFolder }: Postmaster, role: Role): Promise<Ownership> {
    return Ownership.take(clientConfig(socketFolder, 'postgres'), role, this.#folder.dataDir, () => this.#heal());
  }

  async #isOutdated(): Promise<boolean> {
    const rows = await this.#ownership?.query<{ mark: string | null }>('SELECT current_setting($1, true) AS mark', [
      fingerprintSetting,
    ]);
    return rows?.[0]?.mark !== fingerprint(this.#settings, this.#binaries);
  }

  async #restartIfAlone(): Promise<void> {
    const ownership = this.#ownership;
    if (ownership === undefined) return;
    if (await ownership.isAlone()) {
      this.#log(`restarting Postgres in ${this.#folder.dataDir}, which ran with other settings`);
      this.#ownership = undefined;
      await stopPostmaster(this.#folder, this.#running().pid, this.#log);
      await ownership.release();
      await this.#enter();
    } else {
      this.#log(`Postgres in ${this.#folder.dataDir} keeps its older settings, because others use it`);
      await ownership.shareAgain();
    }
  }

  /** Called whenever an ownership's connection ends. */
  #heal(): void {
    if (this.#ownership?.isLost !== true || this.#healing !== undefined || this.#closing !== undefined) return;
    this.#log(`lost the connection to Postgres in ${this.#folder.dataDir}`);
    this.#healing = this.#keepEntering().finally(() => {
      this.#healing = undefined;
      this.#heal();
    });
  }

  async #keepEntering(): Promise<void> {
    let delayMs = healDelayMs.first;
    let said: string | undefined;
    while (this.#closing === undefined) {
      try {
        await this.#locked(async () => {
          if (this.#closing !== undefined) return;
          await this.#enter();
          this.#log(`Postgres in ${this.#folder.dataDir} is back`);
        });
        return;
      } catch (error) {
        if (error instanceof InstanceRunningError) {
          this.#ownership = undefined;
          this.#log(error.message);
          this.#options.onInstanceLost?.(error);
          return;
        }
        // Each reason once: it may be away for hours.
        if (said !== String(error)) this.#log(`Postgres in ${this.#folder.dataDir} is not back yet: ${String(error)}`);
        said = String(error);
        await sleep(delayMs);
        delayMs = Math.min(delayMs * 2, healDelayMs.longest);
      }
    }
  }

  async #leave(): Promise<void> {
    await this.#healing;
    await this.#locked(() => this.#release(this.#ownership));
  }

  /** Gives up the server, and stops it when nobody else uses it. */
  async #release(ownership: Ownership | undefined): Promise<void> {
    this.#ownership = undefined;
    const startedAt = performance.now();
    while (ownership !== undefined) {
      try {
        if (await ownership.isAlone()) await stopPostmaster(this.#folder, this.#running().pid, this.#log);
        return;
      } catch (error) {
        if (!isConnectionLoss(error) || performance.now() - startedAt > enterLimitMs) throw error;
      } finally {
        await ownership.release();
      }
      // That says nothing of the server: it may be down, or only our connection, and nobody heals while we close.
      ownership = await this.#rejoin(startedAt);
    }
  }

  async #rejoin(startedAt: number): Promise<Ownership | undefined> {
    for (;;) {
      const running = await adopt(this.#folder);
      if (running === undefined) return undefined;
      this.#postmaster = running;
      try {
        return await this.#take(running, 'tool');
      } catch (error) {
        if (!isConnectionLoss(error) || performance.now() - startedAt > enterLimitMs) throw error;
        await sleep(healDelayMs.first);
      }
    }
  }

  async #locked(work: () => Promise<void>): Promise<void> {
    const lock = await lockFolder(this.#folder.dataDir, folderLockLimitMs, this.#log);
    try {
      await work();
    } finally {
      lock.release();
    }
  }

  #running(): Postmaster {
    if (this.#postmaster === undefined) throw new EmbeddedPostgresError('Postgres was not started');
    return this.#postmaster;
  }
}

async function createProductDatabase(ownership: Ownership): Promise<void> {
  const found = await ownership.query('SELECT FROM pg_database WHERE datname = $1', [productDatabase]);
  if (found.length === 0) await ownership.query(`CREATE DATABASE ${productDatabase}`);
}

/** The server went away, or is about to: https://www.postgresql.org/docs/18/errcodes-appendix.html, class 57P and 08. */
function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined) return /^(57P0[123]|08...|ECONNREFUSED|ECONNRESET|EPIPE|ENOENT)$/.test(code);
  return /Connection terminated|not queryable|timeout expired/.test(String(error));
}
