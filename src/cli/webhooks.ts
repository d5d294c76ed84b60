import { Argument, Command, Option } from 'commander';
import { keyringOf } from '../identity-options.ts';
import {
  type Answer,
  createWebhooks,
  type DeliveryStatus,
  deliveryStatuses,
  type ReplayFilter,
  type Webhooks,
} from '../webhooks/index.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { configured, note, printJson, printLine, type Shell, takes } from './shell.ts';
import { deliveryLines, endpointLines } from './webhook-text.ts';
import { withStore } from './with-store.ts';

interface Flags {
  readonly types?: string;
  readonly owner: string;
  readonly status?: DeliveryStatus;
  readonly event?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: string;
  readonly json?: true;
}

const actions = ['list', 'add', 'remove', 'rotate', 'deliveries', 'dead', 'replay', 'skip'] as const;
type Action = (typeof actions)[number];

/** What the command line says is an operator's, who reaches everybody's. */
const anybody = 'anybody';

export function webhooksCommand(shell: Shell): Command {
  const command = new Command('webhooks')
    .summary('who is told what, what was delivered, and deliver again')
    .description(
      'list (the default) shows the webhooks and how much waits for each. add has events told to a URL from now on and ' +
        'prints the secret, once; rotate makes a new one, and for a day both sign; remove ends it. deliveries shows what ' +
        'was delivered and what was not, dead what was given up after three days. replay delivers again: everything that ' +
        'is dead, or what the options say. skip gives a dead one up, so that what waits behind it goes on. Works beside a ' +
        'kora that serves, which does it at once.',
    )
    .addArgument(new Argument('[action]', 'what to do').choices(actions).default('list'))
    .argument('[webhook]', 'add: the URL; the others: id of the webhook')
    .option(
      '--types <types>',
      'add, replay: types of events with commas between them, as payment.captured or account.*',
    )
    .option('--owner <principal>', 'add: whose it is', 'operator')
    .addOption(new Option('--status <status>', 'deliveries, replay: those that stand so').choices(deliveryStatuses))
    .option('--event <id>', 'replay, skip: this event')
    .option('--from <time>', 'replay: recorded from then on, as 2026-01-31T12:00:00Z')
    .option('--to <time>', 'replay: recorded before then')
    .option('--limit <n>', 'deliveries, dead: how many, 1 to 200', '50')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  kora webhooks add https://shop.example/kora --types 'payment.captured,payment.settled' --owner service:shop
  kora webhooks dead wh_Zp0m1bJ8yq3o0yYw6f2m9k
  kora webhooks replay wh_Zp0m1bJ8yq3o0yYw6f2m9k
  kora webhooks replay wh_Zp0m1bJ8yq3o0yYw6f2m9k --status delivered --types 'payment.*' --from 2026-01-31T12:00:00Z`,
    );
  takes(command, 'dataDir');
  return command.action(async (action: Action, subject: string | undefined, flags: Flags) => {
    if (action !== 'list' && subject === undefined) {
      const wanted = action === 'add' ? 'a URL' : 'the id of a webhook';
      throw new CommandError(`webhooks ${action}: ${wanted} is wanted`, exitCodes.usage.code);
    }
    const filter = filterOf(flags);
    const { config } = configured(shell, { ...flags });
    const print = await withStore(shell, flags, async (store) => {
      const sealer = await keyringOf(config);
      const webhooks = createWebhooks({
        pool: store.poolOf('webhooks'),
        sealer,
        lastPosition: () => store.log.lastPosition(),
        allowedNetworks: config.webhooksNetworks,
      });
      return run(webhooks, action, subject ?? '', flags, filter);
    });
    print(shell);
  });
}

/** Does it, and gives what is to be printed when the store is left. */
async function run(
  webhooks: Webhooks,
  action: Action,
  subject: string,
  flags: Flags,
  filter: ReplayFilter,
): Promise<(shell: Shell) => void> {
  switch (action) {
    case 'list': {
      const all = await webhooks.list(anybody);
      return printed(flags, { webhooks: all }, endpointLines(all));
    }
    case 'add': {
      const types = flags.types?.split(',') ?? ['*'];
      const added = must(action, await webhooks.add({ owner: flags.owner, url: subject, types }));
      return secretPrinted(flags, added, added.id);
    }
    case 'rotate': {
      const rotated = must(action, await webhooks.rotate(subject, anybody));
      return secretPrinted(flags, rotated, `until ${rotated.previousSecretUntil} both sign`);
    }
    case 'remove':
      must(action, await webhooks.remove(subject, anybody));
      return printed(flags, { id: subject }, [`${subject} is told nothing more`]);
    case 'deliveries':
    case 'dead': {
      const status = action === 'dead' ? 'dead' : flags.status;
      const found = await webhooks.deliveries(
        subject,
        anybody,
        { ...(status && { status }) },
        { limit: limitOf(flags) },
      );
      const page = must(action, found);
      return printed(flags, page, deliveryLines(page.items));
    }
    case 'replay': {
      const { replayed } = must(action, await webhooks.replay(subject, anybody, filter));
      return printed(flags, { replayed }, [`${replayed} deliveries are on their way again`]);
    }
    case 'skip': {
      if (flags.event === undefined) throw new CommandError('webhooks skip: --event is wanted', exitCodes.usage.code);
      must(action, await webhooks.skip(subject, anybody, flags.event));
      return printed(flags, { eventId: flags.event, status: 'skipped' }, [`${flags.event} is skipped`]);
    }
  }
}

function must<Value>(action: Action, answer: Answer<Value>): Value {
  if (answer.ok) return answer.value;
  throw new CommandError(`webhooks ${action}: ${answer.refusal.message}`);
}

function printed(flags: Flags, document: object, lines: readonly string[]): (shell: Shell) => void {
  return (shell) => {
    if (flags.json === true) printJson(shell, document);
    else for (const line of lines) printLine(shell, line);
  };
}

/** The secret alone on stdout, so that it can be taken from there without being seen. */
function secretPrinted(flags: Flags, document: { readonly secret: string }, said: string): (shell: Shell) => void {
  return (shell) => {
    if (flags.json === true) {
      printJson(shell, document);
      return;
    }
    note(shell, `${said}; the secret is said now and never again:`);
    printLine(shell, document.secret);
  };
}

function filterOf({ status, event, types, from, to }: Flags): ReplayFilter {
  return {
    ...(status !== undefined && status !== 'pending' && { status }),
    ...(event !== undefined && { eventId: event }),
    ...(types !== undefined && { types: types.split(',') }),
    ...(from !== undefined && { from: instantOf('--from', from) }),
    ...(to !== undefined && { to: instantOf('--to', to) }),
  };
}

function instantOf(flag: string, text: string): Date {
  const instant = new Date(text);
  if (/^\d{4}-\d{2}-\d{2}T\S+(Z|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(instant.getTime())) return instant;
  const message = `${flag}: an instant as 2026-01-31T12:00:00Z is wanted, not ${JSON.stringify(text)}`;
  throw new CommandError(message, exitCodes.usage.code);
}

function limitOf({ limit }: Flags): number {
  const number = /^[0-9]{1,3}$/.test(limit) ? Number(limit) : 0;
  if (number >= 1 && number <= 200) return number;
  throw new CommandError(`--limit: 1 to 200 is wanted, not ${JSON.stringify(limit)}`, exitCodes.usage.code);
}
