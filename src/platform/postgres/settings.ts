import { createHash } from 'node:crypto';
import { totalmem } from 'node:os';

/** Postgres settings by name, as in postgresql.conf. */
export type PostgresSettings = Readonly<Record<string, string | number>>;

const MiB = 1024 ** 2;

/**
 * What a payment log wants of Postgres; `overrides` win.
 *
 * They go to `kora.conf`, which is written at every start and included from postgresql.conf: an upgrade of kora changes them,
 * and an operator's `ALTER SYSTEM` still has the last word.
 */
export function serverSettings(overrides: PostgresSettings = {}): PostgresSettings {
  const memoryMiB = Math.floor(usableMemoryBytes() / MiB);
  return {
    // An acknowledged payment survives a power cut. Projections may relax synchronous_commit in their own sessions.
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',

    shared_buffers: `${clamp(memoryMiB / 4, 32, 2048)}MB`,
    effective_cache_size: `${clamp(memoryMiB / 2, 64, 1024 * 1024)}MB`,
    work_mem: '16MB',
    maintenance_work_mem: '128MB',

    // Rare checkpoints: each makes the next change of every page write the whole page again. Not compressed: the binaries
    // know pglz only, which makes 3.7 kB of 5.9 (pages of an index are half empty, and the gap is left out anyway) in
    // 0.15 ms, while the log's lock is held, and a payment has two such pages: its own places in two indexes.
    wal_compression: 'off',
    wal_buffers: '16MB',
    min_wal_size: '256MB',
    max_wal_size: '4GB',
    checkpoint_timeout: '15min',

    max_connections: 100,
    random_page_cost: 1.1,
    jit: 'off',

    // Checkpoint and projection tables are small and hot: their dead rows should go soon, and not at a crawl.
    autovacuum_naptime: '15s',
    autovacuum_vacuum_cost_limit: 1000,

    // A query whose client was killed should not go on for ever.
    client_connection_check_interval: '10s',

    timezone: 'UTC',
    log_timezone: 'UTC',
    log_min_messages: 'warning',
    log_checkpoints: 'off',
    log_autovacuum_min_duration: '-1',
    log_line_prefix: '%m [%p] %a ',
    ...overrides,
  };
}

/** Under this name the server can be asked which settings it was started with. */
export const fingerprintSetting = 'kora.fingerprint';

/** Tells two servers apart by their settings and programs: an adopted one that differs is due for a restart. */
export function fingerprint(settings: PostgresSettings, { root, version }: { root: string; version: string }): string {
  return createHash('sha256')
    .update(JSON.stringify([root, version, Object.entries(settings).sort()]))
    .digest('hex')
    .slice(0, 16);
}

/** The text of a configuration file. */
export function renderSettings(settings: PostgresSettings): string {
  // A backslash is one of C in these texts.
  const quoted = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll("'", "''");
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${quoted(String(value))}'`);
  return `# Written by kora at every start of Postgres. Use ALTER SYSTEM to override a line.\n${lines.join('\n')}\n`;
}

/** What a container may use can be less than what the machine has. */
function usableMemoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

function clamp(value: number, low: number, high: number): number {
  return Math.floor(Math.min(Math.max(value, low), high));
}
