import { existsSync } from 'node:fs';
import pg from 'pg';
import { type Store, openStore } from '../store.ts';
import { CommandError } from './exit-codes.ts';
import { configured, type Shell } from './shell.ts';

/** Looks into a store that is there already, beside whoever serves it or alone, and leaves it again. */
export async function withStore<Result>(
  shell: Shell,
  flags: object,
  look: (store: Store) => Promise<Result>,
): Promise<Result> {
  const { config, logger } = configured(shell, { ...flags });
  if (config.databaseUrl === undefined && !existsSync(config.dataDir)) {
    throw new CommandError(`there is no data folder ${config.dataDir}: nothing was recorded there (see --data-dir)`);
  }
  const store = await openStore(config, { logger, role: 'tool' });
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

/** @param work what reads the read model: it is there from the first start of a kora on that knows of it */
export async function ofReadModel<Result>(name: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    const isMissing = error instanceof pg.DatabaseError && error.code === '42P01';
    if (isMissing)
      throw new CommandError(`the read model ${name} is not there yet: the next kora that serves makes it`);
    throw error;
  }
}
