import { Argument, Command } from 'commander';
import { type ProjectionState, projections, projectionStates, retryProjection } from '../projections/index.ts';
import type { Store } from '../store.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { printJson, printLine, type Shell, takes } from './shell.ts';
import { fieldLines, tableLines } from './table.ts';
import { withStore } from './with-store.ts';

interface Flags {
  readonly json?: true;
}

export function projectionsCommand(shell: Shell): Command {
  const command = new Command('projections')
    .summary('where the projections are, and try again one that stopped')
    .description(
      'list (the default) tells how far each projection is behind the log, and which has stopped before an event that it ' +
        'could not take, and why; then the exit code is 1. retry has one that stopped tried again, from where it stands: ' +
        'mend the cause first. Works beside a kora that serves, which tries at once, and alone: then the next one that ' +
        'serves does.',
    )
    .addArgument(new Argument('[action]', 'what to do').choices(['list', 'retry']).default('list'))
    .addArgument(new Argument('[projection]', 'which one').choices(projections.map(({ name }) => name)))
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora projections
  kora projections retry payments
  kora projections --json | jq '.projections[] | select(.status != "running")'`,
    );
  takes(command, 'dataDir');
  return command.action((action: string, projection: string | undefined, flags: Flags) =>
    action === 'retry' ? retry(shell, flags, projection) : list(shell, flags, projection),
  );
}

async function list(shell: Shell, flags: Flags, only: string | undefined): Promise<void> {
  const states = (await withStore(shell, flags, statesIn)).filter(
    ({ projection }) => only === undefined || projection === only,
  );
  if (flags.json === true) printJson(shell, { projections: states });
  else for (const line of [...stateLines(states), ...errorLines(states)]) printLine(shell, line);
  const ill = states.filter(({ status }) => status === 'stopped' || status === 'outdated');
  if (ill.length > 0) throw new CommandError(ill.map(adviceFor).join('; '));
}

function statesIn({ pool, logElsewhere }: Store): Promise<ProjectionState[]> {
  return projectionStates(pool, projections, logElsewhere);
}

async function retry(shell: Shell, flags: Flags, name: string | undefined): Promise<void> {
  if (name === undefined) {
    throw new CommandError('projections retry: the name of a projection is wanted', exitCodes.usage.code);
  }
  const tried = await withStore(shell, flags, async (store) => {
    const before = (await statesIn(store)).find(({ projection }) => projection === name);
    // Its tables are of other code: to try again would change nothing.
    if (before?.status === 'outdated') throw new CommandError(adviceFor(before));
    return retryProjection(store.pool, name);
  });
  if (tried === undefined) throw new CommandError(`projection ${name} has not stopped: there is nothing to try again`);
  const { position, errorPosition } = tried;
  if (flags.json === true) printJson(shell, { projection: name, position, errorPosition });
  else printLine(shell, `projection ${name} is tried again from position ${position} on`);
}

function stateLines(states: readonly ProjectionState[]): string[] {
  return tableLines(
    [
      { title: 'projection' },
      { title: 'version', align: 'right' },
      { title: 'state' },
      { title: 'position', align: 'right' },
      { title: 'events behind', align: 'right' },
      { title: 'seconds behind', align: 'right' },
    ],
    states.map(({ projection, version, status, position, eventsBehind, secondsBehind }) => [
      projection,
      String(version),
      status,
      position.toLocaleString('en'),
      eventsBehind.toLocaleString('en'),
      secondsBehind.toFixed(1),
    ]),
  );
}

function errorLines(states: readonly ProjectionState[]): string[] {
  const lines = fieldLines(
    states.map(({ projection, error, errorPosition, position }) => [
      projection,
      error && `stopped before position ${errorPosition ?? position + 1}: ${error}`,
    ]),
  );
  return lines.length === 0 ? [] : ['', ...lines];
}

function adviceFor({ projection, status, version }: ProjectionState): string {
  return status === 'outdated'
    ? `the tables of ${projection} are of version ${version} of its code: kora rebuild ${projection}`
    : `projection ${projection} has stopped: mend the cause, then kora projections retry ${projection}`;
}
