import { Command } from 'commander';
import {
  type Finding,
  projectionLag,
  type ProjectionLag,
  projections,
  verify,
  type VerifyReport,
} from '../projections/index.ts';
import type { Store } from '../store.ts';
import { CommandError } from './exit-codes.ts';
import { showProgress } from './progress.ts';
import { printJson, printLine, type Shell, takes } from './shell.ts';
import { withStore } from './with-store.ts';

/** More would scroll the first one away, and that is the one to look at. */
const findingsShown = 20;

export function verifyCommand(shell: Shell): Command {
  const command = new Command('verify')
    .summary('hold the log, and all that was made from it, against what they promise')
    .description(
      'Reads the whole log once and checks its hash chain, that positions and versions have no gaps, that the entries of ' +
        "every unit sum to zero, that wallets are within their limits and carry the right figures, that every payment's " +
        'history is a path of its machine, and that the projections are what a fresh fold gives. The product may go on ' +
        'meanwhile. Ends with exit code 1 and the first offending position when something is wrong.',
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora verify
  kora verify --json | jq '.findings[0]'`,
    );
  takes(command, 'dataDir');
  return command.action(async (flags: { readonly json?: true }) => {
    const [report, lag] = await withStore(shell, flags, async (store) => {
      return [await verifyStore(shell, store), await projectionLag(store.pool)] as const;
    });
    const first = report.findings[0];
    if (flags.json === true) printJson(shell, documentOf(report, lag));
    else for (const line of [...reportLines(report), ...lag.map(lagLine)]) printLine(shell, line);
    if (first !== undefined) throw new CommandError(`the log does not hold; look at position ${first.position} first`);
  });
}

async function verifyStore(shell: Shell, { log, pool }: Store): Promise<VerifyReport> {
  const progress = showProgress(shell, 'verifying', await log.lastPosition());
  try {
    const onProgress = ({ position }: { readonly position: number }): void => progress.update(position);
    return await verify({ pool, projections, signal: shell.interrupt.signal, onProgress });
  } finally {
    progress.stop();
  }
}

function documentOf({ position, units, findings }: VerifyReport, lag: readonly ProjectionLag[]): object {
  return {
    ok: findings.length === 0,
    position,
    units,
    firstOffendingPosition: findings[0]?.position ?? null,
    findings,
    projections: lag,
  };
}

function reportLines({ position, units, findings }: VerifyReport): string[] {
  const read = `${position.toLocaleString('en')} events in ${units.toLocaleString('en')} units`;
  if (findings.length === 0) return [`${read}: everything holds`];
  const more = findings.length - findingsShown;
  return [
    `${read}: ${findings.length} findings`,
    ...findings.slice(0, findingsShown).map(findingLine),
    ...(more > 0 ? [`… and ${more} more (--json has them all)`] : []),
  ];
}

function findingLine({ position, until, check, message }: Finding): string {
  return `position ${position}${until === undefined ? '' : `–${until}`}  ${check}: ${message}`;
}

/** A projection that lags is not wrong: it is what a fresh fold gives up to its own position. */
function lagLine({ projection, position, eventsBehind, secondsBehind, error, errorPosition }: ProjectionLag): string {
  const where = `projection ${projection} is at position ${position}`;
  if (error !== undefined) return `${where} and has stopped before position ${errorPosition ?? position + 1}: ${error}`;
  return eventsBehind === 0
    ? where
    : `${where}, ${eventsBehind} events and ${secondsBehind.toFixed(1)} s behind the log`;
}
