import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApiOf } from '../../src/gateway/http/openapi.ts';
import { problemGroups, type ProblemKind, problemTypeOf } from '../../src/gateway/http/problem-map.ts';
import { problemsOf } from '../../src/gateway/http/route-schema.ts';
import { routes } from '../../src/gateway/http/routes.ts';
import { accountMachine } from '../../src/machines/account/account.machine.ts';
import { connectorMachine } from '../../src/machines/connector/connector.machine.ts';
import { paymentMachine } from '../../src/machines/payment/payment.machine.ts';
import {
  FEE_CORRECTION,
  PER_PROVIDER,
  POSTINGS,
  type Posting,
  type Side,
} from '../../src/machines/payment/postings.ts';
import { payoutMachine } from '../../src/machines/payout/payout.machine.ts';
import { sliceMachine } from '../../src/machines/payout/slice.machine.ts';
import { allSchemas, feedSchemas } from '../../src/webhooks/index.ts';

/**
 * Writes the documents that are made from the code: `docs/machines.md`, `docs/postings.md`, `docs/errors.md`,
 * `docs/openapi.json`, and the schemas of the events for others in `docs/events/`.
 *
 *   generate-docs.ts [--check] [--docs FOLDER]
 *
 * With `--check` it writes nothing, and exits with 1 when a document is not what the code says. The folder is `docs` by
 * default.
 */
const GENERATED = '<!-- Generated from the code by `npm run generate:docs`. Change the code, not this file. -->';

const openApi = await openApiOf(routes);

export const documents: Readonly<Record<string, () => string>> = {
  'machines.md': machinesDocument,
  'postings.md': postingsDocument,
  'errors.md': errorsDocument,
  'openapi.json': () => documentOf(openApi),
  ...Object.fromEntries(
    Object.entries({ ...allSchemas(), ...feedSchemas() }).map(([name, schema]) => [
      `events/${name}.json`,
      () => documentOf(schema),
    ]),
  ),
};

function documentOf(json: object): string {
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

/** What is read here of an XState machine: its states, and the transitions of each by fact. */
interface Machine {
  readonly states: Readonly<Record<string, { readonly transitions: ReadonlyMap<string, readonly Transition[]> }>>;
}
interface Transition {
  readonly target: readonly { readonly key: string }[] | undefined;
  readonly description?: string | undefined;
}
interface Step {
  readonly from: string;
  readonly fact: string;
  readonly to: string;
  readonly condition: string | undefined;
}

function stepsOf(machine: Machine): Step[] {
  return Object.entries(machine.states).flatMap(([from, { transitions }]) =>
    [...transitions].flatMap(([fact, all]) =>
      all.map(({ target, description }) => ({ from, fact, to: target?.[0]?.key ?? from, condition: description })),
    ),
  );
}

function machinesDocument(): string {
  return `${GENERATED}

# Machines

A machine says which fact is legal in which state, and it alone says so: live decisions and the replay of the log both go
through it (\`src/machines/evolve.ts\`). The black dot stands for what does not exist yet.

## Payment

${section(paymentMachine)}

Kinds that settle with their capture (${atOnce().join(', ')}) are CAPTURED only inside of a unit: nobody ever sees them so.
SETTLED is not an end: what is refunded is still recorded on it.

## Slice

How far a payment has come with its provider: the status of a slice of a payout, and a CASH_IN or CASH_OUT goes the same
way. The facts are the payment's own; \`PaymentEnded\` stands for its \`PaymentFailed\` and \`PaymentReversed\`. A payment that a
person takes on, with no provider told of it, is sent when it is captured and settled when it is settled.

${section(sliceMachine)}

## Payout

It is cut into slices when it is made, each of them a payment of kind PAYOUT. Where its money is, its slices say: as a whole
it is pending (all of it waits), processing (a part may still move), settled, partially settled, failed, or cancelled
(nothing was paid, because somebody cancelled it).

${section(payoutMachine)}

## Connector

The circuit breaker of a connector. It is in the log, so a restart does not forget an outage. Every fact carries the
connector after it.

${section(connectorMachine)}

## Account

A wallet: customer, merchant or treasury. System accounts have no machine: they take every entry. Every fact carries the
wallet after it, and no fact is legal whose figures do not follow from the ones before.

${section(accountMachine)}
`;
}

function section(machine: Machine): string {
  const steps = stepsOf(machine);
  return [diagram(steps), table(steps, Object.keys(machine.states)), conditions(steps)].join('\n\n');
}

function diagram(steps: readonly Step[]): string {
  const dot = (state: string): string => (state === 'NEW' ? '[*]' : state);
  const facts = new Map<string, string[]>();
  for (const { from, to, fact } of steps) {
    const arrow = `${dot(from)} --> ${dot(to)}`;
    facts.set(arrow, [...(facts.get(arrow) ?? []), fact]);
  }
  const arrows = [...facts].map(([arrow, names]) => `    ${arrow}: ${names.join(', ')}`);
  return ['```mermaid', 'stateDiagram-v2', ...arrows, '```'].join('\n');
}

function table(steps: readonly Step[], states: readonly string[]): string {
  const facts = [...new Set(steps.map(({ fact }) => fact))];
  const cell = (fact: string, state: string): string => {
    const ways = steps
      .filter((one) => one.fact === fact && one.from === state)
      .map(({ to, condition }) => (to === state ? 'stays' : to) + (condition === undefined ? '' : ' *'));
    return ways.length === 0 ? '–' : ways.join(', else ');
  };
  return markdownTable(
    ['fact', ...states.map((state) => (state === 'NEW' ? '●' : state))],
    facts.map((fact) => [`\`${fact}\``, ...states.map((state) => cell(fact, state))]),
  );
}

function conditions(steps: readonly Step[]): string {
  const lines = steps
    .filter(({ condition }) => condition !== undefined)
    .map(({ from, fact, to, condition }) => {
      const isOneOfMany = steps.some((one) => one.fact === fact && one.from === from && one.to !== to);
      const where = from === 'NEW' ? '' : ` in ${from}${isOneOfMany ? `, to ${to}` : ''}`;
      return `- \`${fact}\`${where}: ${condition ?? ''}.`;
    });
  return `–: illegal. *: legal if\n\n${lines.join('\n')}`;
}

function postingsDocument(): string {
  const rows = Object.entries(POSTINGS).map(([kind, { holds, captured, settled, reversed }]) => [
    kind,
    holds ? 'hold payer' : '–',
    said(captured),
    settled === undefined ? 'same unit' : said(settled),
    [holds ? 'from AUTHORIZED: release' : '', reversed === undefined ? '' : `from CAPTURED: ${said(reversed)}`]
      .filter((part) => part !== '')
      .join('; ') || '–',
  ]);
  const parties = Object.entries(POSTINGS).map(([kind, rules]) => [
    kind,
    rules.payer?.join(' or ') ?? '–',
    rules.payee?.join(' or ') ?? '–',
    rules.provider ? 'yes' : '–',
    rules.fee ? 'kept from the payee' : '–',
    rules.providerFee ?? '–',
  ]);
  return `${GENERATED}

# Postings

N is the amount captured, f our fee, c the provider's fee. An amount of nothing is not written. Every column of every row
sums to zero, whatever N, f and c are (\`src/machines/payment/postings.test.ts\`), and the entries of every unit are summed
again before it is appended.

${markdownTable(['kind', 'AUTHORIZED', 'CAPTURED', 'SETTLED', 'REVERSED'], rows)}

${markdownTable(['kind', 'payer', 'payee', 'provider', 'f', 'c'], parties)}

${markdownTable(
  ['kind', 'late success: the provider carried out what had FAILED, was REVERSED, or went elsewhere'],
  Object.entries(POSTINGS).flatMap(([kind, { late }]) => (late === undefined ? [] : [[kind, said(late)]])),
)}

The money of a late success waits in suspense, for people. A later word of the provider on its fee posts the difference N:
${said(FEE_CORRECTION)}, or the other way round where it is less.

A slice of a payout (PAYOUT) is made by its payout, with a hold for each slice, all in one unit. A PAYOUT_RETURN is to a slice
what a REFUND is to a purchase.

A REFUND's payer, payee and currency are those of its original, the other way round. It reserves its share of the original
in the unit that makes it, and gives back what it does not use.

## Signs

Entries are signed, credit +. A wallet's balance is what we owe its owner, so it is positive when they have money. Accounts
that are ours to claim (float, receivable, cost) are debit-normal and stand below zero when there is something in them. One
sign for all means that a balance is a sum, and that the books are right when they sum to zero.

## Accounts

${accounts().join('\n')}

## Rules beside the table

- FAILED from AUTHORIZED releases the hold. Expiry is REVERSED with the reason \`expired\`.
- A hold that is placed and consumed in one unit is not written. A partial capture releases the rest of the hold in the
  entry that consumes it; a one-unit payment of a part needs the whole to be available.
- f = ⌊N · basis points / 10,000⌋. It is rounded down: a fraction of a minor unit is never charged, so no merchant pays more
  than the rate agreed, and no fee exceeds what it is taken from.
- c is known at settlement. Where it is kept back it is at most N, because less than nothing cannot arrive.
- Money for a wallet that was closed meanwhile goes to \`suspense:<currency>\`, and the entry says whose it is
  (\`diverted\`). As long as a payer's money has not moved, a closed payee refuses instead.
- A captured CASH_IN that the provider proves to be undone takes the money back by force: the wallet may fall below its
  limit, or be frozen. To anybody else it is refused when the wallet is short, frozen or closed.
`;
}

function errorsDocument(): string {
  return `${GENERATED}

# Errors of the http door

Every "no" is a document of \`application/problem+json\` (RFC 9457):

| member | |
| --- | --- |
| \`type\` | what kind of problem it is: the addresses below, which are stable and never reused |
| \`code\` | the same for programs: what the core calls it |
| \`title\`, \`status\` | the same for every problem of this type |
| \`detail\` | what it is about this time, for people; may change |
| \`correlationId\` | what the log lines and the facts of this request carry |

Further members are the figures that explain it (\`field\`, \`available\`, \`asked\`, \`allowed\` …). A refused payment that is
recorded says which one it is (\`paymentId\`).

- **404** is the answer for what is not there and for what is somebody else's, word for word: nobody can tell the two apart.
- **403** is given before anything is looked at, whatever the call names.
- **409 \`StillRunning\`, 429, 503, 504**: send the same request again with the same \`Idempotency-Key\`, after \`Retry-After\` seconds
  and with some jitter. Nothing happens twice. Every other answer stays what it is.

${Object.entries(problemGroups)
  .map(([title, kinds]) => `## ${title}\n\n${problemTable(kinds)}`)
  .join('\n\n')}

## Which call may answer what

Every call may answer \`Invalid\`, \`TooManyRequests\`, \`ShuttingDown\`, \`Unavailable\`, \`OutcomeUnknown\` and \`Internal\`, and
whatever cannot be read as a request \`RequestTimeout\`, \`HeadersTooLarge\` or \`Invalid\`.

${markdownTable(
  ['call', 'may answer'],
  routes
    .filter(({ access, body, params }) => access !== 'public' || body !== undefined || params !== undefined)
    .map((route) => [
      `\`${route.method} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}\``,
      problemsOf(route)
        .slice(everywhere)
        .map((code) => `\`${code}\``)
        .join(', '),
    ]),
)}
`;
}

/** So many problems come first in the list of every route. */
const everywhere = 6;

function problemTable(kinds: Readonly<Record<string, ProblemKind>>): string {
  const rows = Object.entries(kinds).map(([code, { status, title, remedy }]) => [
    `\`${code}\``,
    String(status),
    `${title}<br>\`${problemTypeOf(code)}\``,
    remedy,
  ]);
  return markdownTable(['code', 'status', 'what, and its `type`', 'what to do'], rows);
}

function accounts(): string[] {
  const rows = Object.values(POSTINGS).flatMap(({ captured, settled = [], reversed = [], late = [] }) => [
    ...captured,
    ...settled,
    ...reversed,
    ...late,
  ]);
  const sides = [...new Set<Side>(rows.map(({ side }) => side))];
  return sides
    .filter((side) => side !== 'payer' && side !== 'payee')
    .sort()
    .map((side) => `- \`${side}:${PER_PROVIDER.has(side) ? '<provider>:' : ''}<currency>\``);
}

const atOnce = (): string[] =>
  Object.entries(POSTINGS).flatMap(([kind, { settled }]) => (settled === undefined ? [kind] : []));

const said = (rows: readonly Posting[]): string =>
  rows.map(({ direction, side, figure }) => `${direction} ${side} ${figure}`).join(', ');

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Names of the documents in the folder that are not what the code says. */
export function drifted(folder: string): string[] {
  return Object.entries(documents)
    .filter(([name, write]) => read(resolve(folder, name)) !== write())
    .map(([name]) => name);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function main(args: readonly string[]): number {
  const at = args.indexOf('--docs');
  const folder = at < 0 ? fileURLToPath(new URL('../../docs', import.meta.url)) : resolve(args[at + 1] ?? '.');
  const changed = drifted(folder);
  if (args.includes('--check')) {
    if (changed.length === 0) return 0;
    process.stderr.write(`not what the code says: ${changed.join(', ')}. Run \`npm run generate:docs\`.\n`);
    return 1;
  }
  for (const name of changed) {
    mkdirSync(dirname(resolve(folder, name)), { recursive: true });
    writeFileSync(resolve(folder, name), documents[name]?.() ?? '');
    process.stdout.write(`wrote ${name}\n`);
  }
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2));
