import { Command, Option } from 'commander';
import { resolve } from 'node:path';
import { readHead } from '../../eventstore/postgres/read-head.ts';
import { refuseElsewhere } from '../not-on-this-store.ts';
import type { KoraConfig } from '../platform/config.ts';
import type { Logger } from '../platform/logging.ts';
import { type Restored, restoreBackup, type RestoreTarget } from '../platform/postgres/backup/restore-backup.ts';
import { instantOf } from '../gateway/instant.ts';
import { projections, verify, type VerifyReport } from '../projections/index.ts';
import { openStore } from '../store.ts';
import { refuseForeignDatabase } from './backup.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { configured, note, printJson, printLine, type Shell, takes } from './shell.ts';

interface Flags {
  readonly from: string;
  readonly to?: 'latest';
  readonly toTime?: string;
  readonly toPosition?: string;
  readonly json?: true;
}

export function restoreCommand(shell: Shell): Command {
  const command = new Command('restore')
    .summary('make a data folder of a backup, up to a point in time')
    .description(
      'Makes a data folder of a backup, lets PostgreSQL go on with the archive to the wanted point, and verifies what came ' +
        'of it. Never restores over anything: the data folder must be empty, or not there. Ends with exit code 1 when the ' +
        'point was not reached, or when what was restored does not hold.',
    )
    .requiredOption('--from <folder>', 'what `kora backup` made')
    .addOption(new Option('--to <point>', 'latest: everything that was archived (the default)').choices(['latest']))
    .addOption(
      new Option(
        '--to-time <time>',
        'what was committed up to then: 2026-03-01T10:15:00Z, at most in milliseconds',
      ).conflicts(['to', 'toPosition']),
    )
    .addOption(
      new Option(
        '--to-position <n>',
        'up to the commit with this position of the log; reads the archive twice',
      ).conflicts('to'),
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
The keys are not in a backup: put them into keys/ of the new data folder before you serve from it.

Examples:
  kora restore --from /mnt/backup/2026-03-01 --data-dir /var/lib/kora-restored
  kora restore --from /mnt/backup/2026-03-01 --data-dir /tmp/then --to-time 2026-03-01T10:15:00Z
  kora restore --from /mnt/backup/2026-03-01 --data-dir /tmp/then --to-position 4711 --archive-dir /mnt/archive`,
    );
  takes(command, 'dataDir', 'archiveDir');
  return command.action((flags: Flags) => restore(shell, flags));
}

async function restore(shell: Shell, flags: Flags): Promise<void> {
  const { config, logger } = configured(shell, { ...flags });
  refuseElsewhere(config, 'which is backed up by its own means (docs/kurrentdb.md)');
  refuseForeignDatabase(config.databaseUrl);
  const target = targetOf(flags);
  const restored = await restoreBackup({
    from: resolve(flags.from),
    dataDir: config.dataDir,
    archiveDir: config.archiveDir,
    target,
    signal: shell.interrupt.signal,
    log: (message) => note(shell, message),
  });
  const { report, recordedAt } = await verified(shell, config, logger);
  const { archive, missingSegment, manifest } = restored;
  const first = report.findings[0];
  if (flags.json === true) {
    printJson(shell, {
      dataDir: resolve(config.dataDir),
      position: report.position,
      recordedAt: recordedAt ?? null,
      backupFinishedAt: manifest.finishedAt,
      archive: archive ?? null,
      missingSegment: missingSegment ?? null,
      ok: first === undefined,
      findings: report.findings,
    });
  } else {
    const when = recordedAt === undefined ? '' : `, recorded at ${recordedAt}`;
    printLine(shell, `${resolve(config.dataDir)} is restored up to position ${report.position}${when}`);
    if (first === undefined) printLine(shell, 'verified: everything holds');
    note(shell, 'before you serve from it: put the keys into its keys/, and give it an archive of its own');
  }
  if (first !== undefined) {
    throw new CommandError(
      `what was restored does not hold; look at position ${first.position} first: ${first.message}`,
    );
  }
  failIfHoled(restored, target, report.position);
}

/** Everything that was archived was wanted, and there is more behind a hole. What came before it is restored. */
function failIfHoled({ missingSegment, archive }: Restored, { to }: RestoreTarget, position: number): void {
  if (to !== 'latest' || missingSegment === undefined) return;
  throw new CommandError(
    `the segment ${missingSegment} is missing in the archive ${archive ?? ''}, which has later ones: ` +
      `history is restored up to position ${position}, and what came later is not`,
  );
}

async function verified(
  shell: Shell,
  config: KoraConfig,
  logger: Logger,
): Promise<{ readonly report: VerifyReport; readonly recordedAt: string | undefined }> {
  const store = await openStore(config, { logger, role: 'tool' });
  try {
    const report = await verify({ pool: store.pool, projections, signal: shell.interrupt.signal });
    const head = await readHead(store.pool);
    const recordedAt = head && new Date(Number(head.recordedAtMicros / 1000n)).toISOString();
    return { report, recordedAt };
  } finally {
    await store.close();
  }
}

function targetOf({ toTime, toPosition }: Flags): RestoreTarget {
  if (toTime !== undefined) {
    const time = instantOf(toTime);
    if (time !== undefined) return { to: 'time', time };
    throw new CommandError(`--to-time: a time as 2026-03-01T10:15:00Z is wanted, not ${toTime}`, exitCodes.usage.code);
  }
  if (toPosition !== undefined) {
    if (/^[1-9][0-9]{0,14}$/.test(toPosition)) return { to: 'position', position: Number(toPosition) };
    throw new CommandError(`--to-position: a position from 1 on is wanted, not ${toPosition}`, exitCodes.usage.code);
  }
  return { to: 'latest' };
}
