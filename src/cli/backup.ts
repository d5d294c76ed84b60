import { Command } from 'commander';
import { resolve } from 'node:path';
import { refuseElsewhere } from '../not-on-this-store.ts';
import { takeBackup } from '../platform/postgres/backup/take-backup.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { configured, note, printJson, printLine, type Shell, takes } from './shell.ts';
import { withStore } from './with-store.ts';

interface Flags {
  readonly to: string;
  readonly json?: true;
}

export function backupCommand(shell: Shell): Command {
  const command = new Command('backup')
    .summary('copy the database to a folder, while it serves')
    .description(
      'Copies the embedded PostgreSQL, while kora serves, to a folder that `kora restore` makes a data folder of. Alone it ' +
        'can be restored to the moment at which it was done; with an archive (kora serve --archive-dir) to any later one. ' +
        'The keys of the data folder are not in it.',
    )
    .requiredOption('--to <folder>', 'an empty folder, or one that is not there yet')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora backup --to /mnt/backup/2026-03-01
  kora restore --from /mnt/backup/2026-03-01 --data-dir /var/lib/kora-restored`,
    );
  takes(command, 'dataDir');
  return command.action((flags: Flags) => backup(shell, flags));
}

async function backup(shell: Shell, flags: Flags): Promise<void> {
  const { config } = configured(shell, { ...flags });
  refuseElsewhere(config, 'which is backed up by its own means (docs/kurrentdb.md)');
  refuseForeignDatabase(config.databaseUrl);
  const to = resolve(flags.to);
  const { bytes, position, finishedAt, archive } = await withStore(shell, flags, ({ database }) =>
    takeBackup({ database, dataDir: config.dataDir, to, signal: shell.interrupt.signal }),
  );
  if (flags.json === true) {
    printJson(shell, { folder: to, position, finishedAt, bytes, archive: archive?.folder ?? null });
    return;
  }
  printLine(shell, `${to}: ${Math.ceil(bytes / 1024 ** 2)} MiB, up to position ${position}, done at ${finishedAt}`);
  printLine(shell, archive === null ? 'what comes later is not archived' : `what comes later is in ${archive.folder}`);
  note(shell, `the keys in ${resolve(config.dataDir, 'keys')} are not in it: keep them elsewhere`);
}

/** @throws CommandError where the database is somebody else's */
export function refuseForeignDatabase(databaseUrl: string | undefined): void {
  if (databaseUrl === undefined) return;
  throw new CommandError(
    'DATABASE_URL is set: back up and restore that PostgreSQL by the means of whoever runs it (docs/backup.md)',
    exitCodes.usage.code,
  );
}
