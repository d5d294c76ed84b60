import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { Argument, Command, Option } from 'commander';
import {
  type Asker,
  type CaseAnswer,
  type CaseCore,
  type CaseFilter,
  type CaseHistory,
  type Cases,
  casesCsv,
  type CaseState,
  caseStates,
  caseTermsOf,
  type CaseView,
  CoreUnreachableError,
  createCases,
  postgresDecisions,
  type Resolution,
} from '../reconciliation/index.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { moneyText, timeText } from './money-text.ts';
import { printJson, printLine, type Shell, takes } from './shell.ts';
import { fieldLines, tableLines } from './table.ts';
import { withReconciliation } from './with-reconciliation.ts';

interface Flags {
  readonly state?: CaseState;
  readonly profile?: string;
  readonly assignee?: string;
  readonly all?: true;
  readonly to?: string;
  readonly text?: string;
  readonly reason?: string;
  readonly with?: string;
  readonly proposal?: string;
  readonly reject?: true;
  readonly limit: string;
  readonly json?: true;
}

const actions = ['list', 'show', 'assign', 'comment', 'resolve', 'approve', 'escalate', 'export'] as const;
type Action = (typeof actions)[number];

/** On the command line nothing is moved: what was begun is carried out by the kora that reconciles. */
const elsewhere = (): Promise<never> => Promise.reject(new CoreUnreachableError('the command line moves nothing'));
const noCore: CaseCore = { book: elsewhere, ask: elsewhere };

export function casesCommand(shell: Shell): Command {
  const command = new Command('cases')
    .summary('what did not match, and what is done about it')
    .description(
      'list (the default) shows the open cases, the oldest first; show one with its history; export all as CSV. assign, ' +
        'comment, escalate, resolve and approve are recorded as this user of the system, operator:<name>. What moves money ' +
        'is written down here, and carried out by the kora that reconciles. docs/reconciliation.md.',
    )
    .addArgument(new Argument('[action]', 'what to do').choices(actions).default('list'))
    .argument('[case]', 'id of the case')
    .addOption(new Option('--state <state>', 'list, export: those that stand so').choices(caseStates))
    .option('--profile <id>', 'list, export: of this bank or provider')
    .option('--assignee <principal>', 'list, export: that somebody has')
    .option('--all', 'list, export: ended ones too')
    .option('--to <principal>', 'assign: to whom, as user:<id>; this operator if it is not said')
    .option('--text <text>', 'comment: at most 1000 characters, without personal data')
    .option('--reason <text>', 'escalate, resolve, approve: why')
    .option('--with <json>', 'resolve: the resolution, as the http door takes it')
    .option('--proposal <n>', 'approve: the number of what was looked at')
    .option('--reject', 'approve: no')
    .option('--limit <n>', 'list: how many, 1 to 200', '50')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora cases
  kora cases resolve q3Zp0m1bJ8yq3o0yYw6f2m9kq1E --reason 'her transfer' \\
    --with '{"kind":"correct","entry":"CORRECTION_CREDIT","amount":"1250","account":"ada"}'
  kora cases export --all > cases.csv`,
    );
  takes(command, 'dataDir');
  return command.action(async (action: Action, subject: string | undefined, flags: Flags) => {
    if (action !== 'list' && action !== 'export' && subject === undefined)
      throw new CommandError(`cases ${action}: the id of a case is wanted`, exitCodes.usage.code);
    const print = await withReconciliation(shell, flags, ({ pool, log, config }) =>
      run(
        createCases({
          pool,
          log,
          core: noCore,
          decisions: postgresDecisions(pool),
          terms: caseTermsOf(config.fourEyesAbove),
        }),
        action,
        subject ?? '',
        flags,
      ),
    );
    print(shell);
  });
}

async function run(cases: Cases, action: Action, id: string, flags: Flags): Promise<(shell: Shell) => void> {
  const asker: Asker = { principal: `operator:${userInfo().username}`, correlationId: randomUUID() };
  switch (action) {
    case 'list': {
      const limit = numberOf('--limit', flags.limit, 200);
      const page = await cases.list(filterOf(flags), { limit });
      return printed(flags, page, listLines(page.items));
    }
    case 'export': {
      const csv = await casesCsv(cases.all(filterOf(flags)));
      return (shell) => void shell.stdout.write(csv);
    }
    case 'show': {
      const found = must(action, await cases.get(id));
      return printed(flags, found, [...caseLines(found), '', ...historyLines(found)]);
    }
    case 'assign':
      return done(flags, must(action, await cases.assign(id, flags.to ?? asker.principal, asker, flags.reason)));
    case 'comment':
      return done(flags, must(action, await cases.comment(id, wanted(action, '--text', flags.text), asker)));
    case 'escalate':
      return done(flags, must(action, await cases.escalate(id, wanted(action, '--reason', flags.reason), asker)));
    case 'resolve': {
      const resolution = resolutionOf(wanted(action, '--with', flags.with));
      const reason = wanted(action, '--reason', flags.reason);
      return done(flags, must(action, await cases.resolve(id, resolution, reason, asker)));
    }
    case 'approve': {
      const proposal = numberOf('--proposal', wanted(action, '--proposal', flags.proposal), 1_000_000);
      const reason = wanted(action, '--reason', flags.reason);
      const verdict = flags.reject === true ? 'reject' : 'approve';
      return done(flags, must(action, await cases[verdict](id, proposal, reason, asker)));
    }
  }
}

function filterOf({ state, profile, assignee, all }: Flags): CaseFilter {
  return {
    ...(state !== undefined && { state }),
    ...(profile !== undefined && { profile }),
    ...(assignee !== undefined && { assignee }),
    ...(all !== true && state === undefined && { open: true }),
  };
}

const shapes: Readonly<Record<Resolution['kind'], readonly string[]>> = {
  link: ['lineIds', 'expectationIds'],
  separate: ['lineIds', 'expectationIds'],
  correct: ['entry', 'amount'],
  write_off: ['entry', 'amount'],
  ask: ['paymentId'],
  dismiss: [],
};

/** What it says is checked by the case; here only that it is a resolution at all. */
function resolutionOf(text: string): Resolution {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const given = (value ?? {}) as Record<string, unknown>;
  const fields = shapes[given['kind'] as Resolution['kind']] as readonly string[] | undefined;
  const isRight = fields?.every((field) =>
    field.endsWith('Ids')
      ? Array.isArray(given[field]) && given[field].every((id) => typeof id === 'string')
      : typeof given[field] === 'string',
  );
  if (isRight === true && ['undefined', 'string'].includes(typeof given['account'])) return value as Resolution;
  const kinds = Object.entries(shapes).map(([kind, names]) => [kind, ...names].join(' '));
  throw new CommandError(
    `--with: a JSON object with kind and what it needs is wanted: ${kinds.join(', ')}`,
    exitCodes.usage.code,
  );
}

function wanted(action: Action, flag: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new CommandError(`cases ${action}: ${flag} is wanted`, exitCodes.usage.code);
}

function numberOf(flag: string, text: string, max: number): number {
  const number = /^[0-9]{1,7}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= max) return number;
  throw new CommandError(`${flag}: 1 to ${max} is wanted, not ${JSON.stringify(text)}`, exitCodes.usage.code);
}

function must<Value>(action: Action, answer: CaseAnswer<Value>): Value {
  if (answer.ok) return answer.value;
  throw new CommandError(`cases ${action}: ${answer.refusal.message}`);
}

function printed(flags: Flags, document: object, lines: readonly string[]): (shell: Shell) => void {
  return (shell) => {
    if (flags.json === true) printJson(shell, document);
    else for (const line of lines) printLine(shell, line);
  };
}

const done = (flags: Flags, view: CaseView): ((shell: Shell) => void) => printed(flags, view, caseLines(view));

function listLines(items: readonly CaseView[]): string[] {
  if (items.length === 0) return ['there is no such case'];
  const columns = ['case', 'state', 'kind', 'provider', 'amount', 'due (UTC)', 'assignee'];
  return tableLines(
    columns.map((title) => ({ title, ...(title === 'amount' && { align: 'right' as const }) })),
    items.map((one) => [
      one.caseId,
      one.state,
      one.kind,
      one.profile,
      moneyText(BigInt(one.amount), one.currency),
      timeText(one.dueAt),
      one.assignee ?? '',
    ]),
  );
}

function caseLines(one: CaseView): string[] {
  return fieldLines([
    ['case', one.caseId],
    ['state', one.state],
    ['kind', one.kind],
    ['provider', one.profile],
    ['amount', `${moneyText(BigInt(one.amount), one.currency)} ${one.direction}`],
    ['moved', one.moved === '0' ? undefined : moneyText(BigInt(one.moved), one.currency)],
    ['reason', one.reason],
    ['lines', one.lineIds.join(' ')],
    ['payments', one.paymentIds.join(' ')],
    ['due', timeText(one.dueAt)],
    ['assignee', one.assignee],
    [
      'proposed',
      one.proposal && `${one.proposal.number}: ${JSON.stringify(one.proposal.resolution)}, by ${one.proposal.by}`,
    ],
    ['at work', one.working && JSON.stringify(one.working.resolution)],
    ['half booked', one.half && JSON.stringify(one.half.resolution)],
    ['ended by', one.cause],
  ]);
}

function historyLines({ history }: CaseHistory): string[] {
  return tableLines(
    [{ title: 'when (UTC)' }, { title: 'who' }, { title: 'what' }, { title: 'why' }],
    history.map(({ at, by, what, why, text, cause, code, assignee }) => [
      timeText(at),
      by,
      assignee === undefined ? what : `${what} to ${assignee}`,
      [why, text, cause, code].filter((one) => one !== undefined).join('; '),
    ]),
  );
}
