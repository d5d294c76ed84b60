import { randomUUID } from 'node:crypto';
import { Argument, Command, Option } from 'commander';
import { Runtime } from '../actors/runtime.ts';
import { isOwner } from '../kernel/ids.ts';
import type { ConnectorView } from '../machines/connector/view.ts';
import { connectorStates } from '../projections/queries.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { timeText } from './money-text.ts';
import { printJson, printLine, type Shell, takes } from './shell.ts';
import { tableLines } from './table.ts';
import { ofReadModel, withStore } from './with-store.ts';

interface Flags {
  readonly reason?: string;
  readonly principal: string;
  readonly json?: true;
}

/** Whoever has the database's password and says nothing more of themselves. */
const OPERATOR = 'kora:operator';

export function connectorsCommand(shell: Shell): Command {
  const command = new Command('connectors')
    .summary('the circuit breakers of connectors, and opening or closing one by hand')
    .description(
      'list (the default) shows the connectors that are configured, and those whose breaker ever opened, from a read model. force opens or ' +
        'closes one: open by hand, it stays so until somebody closes it. Who did it, and why, stays in the log. Works beside ' +
        'a kora that serves, which knows of it at once.',
    )
    .addArgument(new Argument('[action]', 'what to do').choices(['list', 'force']).default('list'))
    .argument('[connector]', 'id of the connector')
    .addArgument(new Argument('[state]', 'what its breaker is to be').choices(['OPEN', 'CLOSED']))
    .option('--reason <text>', 'of force: why, in one line without personal data')
    .addOption(new Option('--principal <id>', 'of force: who does it, user:<id>').default(OPERATOR))
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora connectors
  kora connectors force momo-1 OPEN --reason "the provider has announced an outage"
  kora connectors force momo-1 CLOSED --reason "it is over" --principal user:01J9ZC5VQ4`,
    );
  takes(command, 'dataDir');
  return command.action(
    (action: string, connector: string | undefined, state: 'OPEN' | 'CLOSED' | undefined, flags: Flags) =>
      action === 'force' ? force(shell, flags, connector, state) : list(shell, flags, connector),
  );
}

async function list(shell: Shell, flags: Flags, only: string | undefined): Promise<void> {
  const all = await withStore(shell, flags, (store) =>
    ofReadModel('connector_states', connectorStates(store.poolOf('providers'))),
  );
  const connectors = all.filter(({ connectorId }) => only === undefined || connectorId === only);
  if (flags.json === true) printJson(shell, { connectors });
  else for (const line of linesOf(connectors)) printLine(shell, line);
}

function linesOf(connectors: readonly ConnectorView[]): string[] {
  if (connectors.length === 0) return ['no connector is configured, and no breaker ever opened'];
  return tableLines(
    [
      { title: 'connector' },
      { title: 'breaker' },
      { title: 'failures', align: 'right' },
      { title: 'open until (UTC)' },
      { title: 'why' },
    ],
    connectors.map(({ connectorId, state, failures, openUntil, forced, reason = '' }) => [
      connectorId,
      state,
      failures.toString(),
      forced ? 'somebody closes it' : openUntil === undefined ? '' : timeText(openUntil),
      reason,
    ]),
  );
}

async function force(
  shell: Shell,
  flags: Flags,
  connectorId: string | undefined,
  state: 'OPEN' | 'CLOSED' | undefined,
): Promise<void> {
  const { reason, principal } = flags;
  if (connectorId === undefined || state === undefined || reason === undefined) {
    throw new CommandError('connectors force: a connector, a state and --reason are wanted', exitCodes.usage.code);
  }
  if (principal !== OPERATOR && !isOwner(principal)) {
    throw new CommandError('--principal: user:<id> is wanted', exitCodes.usage.code);
  }
  const outcome = await withStore(shell, flags, ({ log }) =>
    new Runtime({ log }).operate(
      { type: 'ForceBreaker', idempotencyKey: randomUUID(), connectorId, state, reason },
      { tenant: 'kora', principal, correlationId: `operator:${randomUUID()}` },
    ),
  );
  if (!outcome.ok) throw new CommandError(`connectors force: ${outcome.refusal.message}`);
  const { connector } = outcome;
  if (flags.json === true) printJson(shell, { connector });
  else printLine(shell, `the breaker of ${connectorId} is ${connector?.state ?? state} by hand: ${reason}`);
}
