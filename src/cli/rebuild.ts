import { Argument, Command } from 'commander';
import {
  dropOldTables,
  type Projection,
  projections,
  rebuild,
  type RebuildReport,
  type TableDifferences,
} from '../projections/index.ts';
import type { Store } from '../store.ts';
import { CommandError } from './exit-codes.ts';
import { showProgress } from './progress.ts';
import { note, printJson, printLine, type Shell, takes } from './shell.ts';
import { tableLines } from './table.ts';
import { withStore } from './with-store.ts';

interface Flags {
  readonly dropOld?: true;
  readonly json?: true;
}

export function rebuildCommand(shell: Shell): Command {
  const names = projections.map(({ name }) => name);
  const command = new Command('rebuild')
    .summary('fold a projection anew from the log, while it serves')
    .description(
      'Folds a projection, or all of them, anew from the first event into tables of their own, while the live ones go on; ' +
        'compares the two at one position, and swaps. Differences are told, and make the exit code 1: the new tables are ' +
        'live then all the same, because they are what the log says.',
    )
    .addArgument(new Argument('<projection>', 'which one').choices([...names, 'all']))
    .option('--drop-old', 'drop the tables that were live before; without it they stay, to be looked at')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora rebuild accounts
  kora rebuild all --drop-old --json`,
    );
  takes(command, 'dataDir');
  return command.action(async (name: string, flags: Flags) => {
    const chosen = projections.filter((projection) => name === 'all' || projection.name === name);
    const reports = await withStore(shell, flags, (store) => rebuildEach(shell, store, chosen, flags.dropOld === true));
    const found = reports.reduce((sum, { differences }) => sum + differencesOf(differences), 0);
    if (flags.json === true) printJson(shell, documentOf(reports));
    else for (const line of reportLines(reports)) printLine(shell, line);
    if (found > 0) throw new CommandError(`${found} rows were not as the log says; they are now`);
  });
}

async function rebuildEach(
  shell: Shell,
  { log, pool }: Store,
  chosen: readonly Projection[],
  dropOld: boolean,
): Promise<RebuildReport[]> {
  const reports: RebuildReport[] = [];
  const end = Math.max(1, await log.lastPosition());
  const progress = showProgress(shell, 'rebuilding', end * chosen.length);
  try {
    for (const projection of chosen) {
      const before = reports.length * end;
      const onProgress = ({ position }: { position: number }): void =>
        progress.update(before + Math.min(position, end));
      reports.push(await rebuild({ log, pool, projection, signal: shell.interrupt.signal, onProgress }));
      if (dropOld) await dropOldTables(pool, projection);
    }
  } finally {
    progress.stop();
  }
  for (const { differences } of reports) for (const line of exampleLines(differences)) note(shell, line);
  return reports;
}

function documentOf(reports: readonly RebuildReport[]): object {
  return {
    projections: reports.map((report) => ({ ...report, differing: differencesOf(report.differences) })),
  };
}

function reportLines(reports: readonly RebuildReport[]): string[] {
  return tableLines(
    [
      { title: 'projection' },
      { title: 'events', align: 'right' },
      { title: 'rows', align: 'right' },
      { title: 'events/s', align: 'right' },
      { title: 'differences', align: 'right' },
    ],
    reports.map(({ projection, events, rows, eventsPerSecond, differences }) => [
      projection,
      events.toLocaleString('en'),
      rows.toLocaleString('en'),
      eventsPerSecond.toLocaleString('en'),
      differencesOf(differences).toLocaleString('en'),
    ]),
  );
}

function differencesOf(tables: readonly TableDifferences[]): number {
  return tables.reduce((sum, { onlyLive, onlyFresh, differing }) => sum + onlyLive + onlyFresh + differing, 0);
}

function exampleLines(tables: readonly TableDifferences[]): string[] {
  return tables.flatMap(({ table, examples }) =>
    examples.map(({ key, live, fresh }) => {
      if (live === undefined) return `${table} ${key.join(', ')}: was missing`;
      if (fresh === undefined) return `${table} ${key.join(', ')}: should not have been`;
      const columns = Object.keys(fresh).filter((column) => live[column] !== fresh[column]);
      const changes = columns.map((column) => `${column} was ${live[column] ?? 'null'}, is ${fresh[column] ?? 'null'}`);
      return `${table} ${key.join(', ')}: ${changes.join('; ')}`;
    }),
  );
}
