import { Command } from 'commander';
import {
  type Finding,
  projectionLag,
  type ProjectionLag,
  projections,
  verify,
  type VerifyReport,
} from '../projections/index.ts';
import { AgainstCheckpoint, type AgainstFinding } from '../signed-checkpoints/against.ts';
import { endOf, type SignedCheckpoint } from '../signed-checkpoints/checkpoint.ts';
import { refuseElsewhere } from '../not-on-this-store.ts';
import type { Store } from '../store.ts';
import { CommandError } from './exit-codes.ts';
import { showProgress } from './progress.ts';
import { configured, printJson, printLine, type Shell, takes } from './shell.ts';
import { trustedCheckpoint } from './trusted-checkpoint.ts';
import { withStore } from './with-store.ts';

interface Flags {
  readonly against?: string;
  readonly key?: string;
  readonly json?: true;
}

/** What was checked, against a checkpoint or not. */
interface Checked extends Omit<VerifyReport, 'findings'> {
  readonly findings: readonly (Finding | AgainstFinding)[];
  readonly against?: SignedCheckpoint | undefined;
}

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
    .option(
      '--against <file>',
      'also prove that history up to this signed checkpoint is what it was when it was signed',
    )
    .option('--key <file>', 'public key that must have signed it (default: those in the folder of the checkpoints)')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora verify
  kora verify --against /mnt/elsewhere/checkpoint-0000000000004711-8c1f0a3e55d2.json --key /mnt/elsewhere/key.pem
  kora verify --json | jq '.findings[0]'`,
    );
  takes(command, 'dataDir');
  return command.action(async (flags: Flags) => {
    if (flags.against !== undefined) {
      refuseElsewhere(configured(shell, { ...flags }).config, 'which has no hash chain to hold against a checkpoint');
    }
    const checkpoint = await trustedCheckpoint(shell, flags);
    const [checked, lag] = await withStore(shell, flags, async (store) => {
      return [
        await verifyStore(shell, store, checkpoint),
        await projectionLag(store.pool, store.logElsewhere),
      ] as const;
    });
    const [first] = checked.findings;
    const unlike = checked.findings.find(({ check }) => check === 'checkpoint');
    if (flags.json === true) printJson(shell, documentOf(checked, lag));
    else for (const line of [...reportLines(checked), ...lag.map(lagLine)]) printLine(shell, line);
    if (unlike !== undefined) throw new CommandError(`the log is not what was signed: ${unlike.message}`);
    if (first !== undefined) throw new CommandError(`the log does not hold; look at position ${first.position} first`);
  });
}

async function verifyStore(
  shell: Shell,
  { log, logElsewhere, pool }: Store,
  checkpoint: SignedCheckpoint | undefined,
): Promise<Checked> {
  const progress = showProgress(shell, 'verifying', await log.lastPosition());
  const against = checkpoint && new AgainstCheckpoint(checkpoint);
  try {
    const report = await verify({
      pool,
      projections,
      logElsewhere,
      signal: shell.interrupt.signal,
      onProgress: ({ position }) => progress.update(position),
      ...(against && { visitCommit: (commit) => against.visit(commit) }),
    });
    const finding = against?.finding();
    const findings = [...(finding ? [finding] : []), ...report.findings];
    return { ...report, findings: findings.sort((one, other) => one.position - other.position), against: checkpoint };
  } finally {
    progress.stop();
  }
}

function documentOf(
  { position, units, findings, notOnThisStore, against }: Checked,
  lag: readonly ProjectionLag[],
): object {
  return {
    ok: findings.length === 0,
    position,
    units,
    firstOffendingPosition: findings[0]?.position ?? null,
    findings,
    ...(notOnThisStore.length > 0 && { notOnThisStore }),
    projections: lag,
    ...(against && { against: { position: endOf(against), signedAt: against.signedAt, key: against.key } }),
  };
}

function reportLines({ units, events, findings, notOnThisStore, against }: Checked): string[] {
  const read = `${events.toLocaleString('en')} events in ${units.toLocaleString('en')} units`;
  const unchecked = notOnThisStore.map((check) => `not on this store  ${check}`);
  if (findings.length === 0) {
    const signed = against && `history up to position ${endOf(against)} is what was signed at ${against.signedAt}`;
    const holds = notOnThisStore.length === 0 ? 'everything holds' : 'everything that can be checked here holds';
    return [`${read}: ${holds}`, ...(signed === undefined ? [] : [signed]), ...unchecked];
  }
  const more = findings.length - findingsShown;
  return [
    `${read}: ${findings.length} findings`,
    ...findings.slice(0, findingsShown).map(findingLine),
    ...(more > 0 ? [`… and ${more} more (--json has them all)`] : []),
    ...unchecked,
  ];
}

function findingLine(finding: Finding | AgainstFinding): string {
  const { position, check, message } = finding;
  const until = 'until' in finding ? finding.until : undefined;
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
