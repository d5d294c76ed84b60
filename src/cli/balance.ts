import { Command, Option } from 'commander';
import { Runtime } from '../actors/runtime.ts';
import { exponentOf } from '../kernel/currencies.ts';
import { type Balance, balanceAt } from '../projections/ledger-queries.ts';
import type { Store } from '../store.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { dayText, moneyText } from './money-text.ts';
import { printJson, printLine, type Shell, takes } from './shell.ts';
import { fieldLines } from './table.ts';
import { withStore } from './with-store.ts';

interface Flags {
  readonly at?: string;
  readonly position?: string;
  readonly json?: true;
}

export function balanceCommand(shell: Shell): Command {
  const command = new Command('balance')
    .summary('what an account has, or had')
    .description(
      'Prints the balance of a wallet or of a system account (float:cash:CZK), read from the log: as it is now, at an ' +
        'instant of business time, or as it was recorded at a position of the log.',
    )
    .argument('<account>', 'id of the account')
    .addOption(
      new Option(
        '--at <time>',
        'by business time: 2026-01-31T12:00:00Z, or a day, which means its end (UTC)',
      ).conflicts('position'),
    )
    .addOption(new Option('--position <n>', 'as recorded, with everything up to this position of the log'))
    .option('--json', 'print one JSON document, amounts in minor units')
    .addHelpText(
      'after',
      `
By business time only what is booked is known: a hold has none.

Examples:
  kora balance alice
  kora balance 2378 --at 1993-06-30
  kora balance float:cash:CZK --position 120000 --json`,
    );
  takes(command, 'dataDir');
  return command.action(async (account: string, flags: Flags) => {
    const at = flags.at === undefined ? undefined : instantOf(flags.at);
    const position = flags.position === undefined ? undefined : positionOf(flags.position);
    const fields = await withStore(shell, flags, (store) => balanceFields(store, account, at, position));
    if (flags.json === true) {
      printJson(shell, { ...fields, ...(fields.currency !== undefined && { exponent: exponentOf(fields.currency) }) });
    } else {
      for (const line of balanceLines(fields)) printLine(shell, line);
    }
  });
}

/** What is known of the account; absent is what does not apply. Amounts are minor units. */
interface BalanceFields {
  readonly account: string;
  readonly type?: string;
  readonly status?: string;
  readonly currency?: string;
  readonly at?: string;
  readonly position?: number;
  readonly posted: string;
  readonly held?: string;
  readonly limit?: string;
  readonly available?: string;
}

async function balanceFields(
  { log, pool }: Store,
  account: string,
  at: Date | undefined,
  position: number | undefined,
): Promise<BalanceFields> {
  if (position !== undefined) {
    const last = await log.lastPosition();
    if (position > last) throw new CommandError(`the log ends at position ${last}: what is at ${position} is not yet`);
  }
  if (at === undefined && position === undefined) {
    const wallet = await new Runtime({ log }).account(account);
    if (wallet !== undefined) {
      const { type, status, currency, posted, held, limit, available } = wallet;
      return { account, type, status, currency, posted, held, limit, available };
    }
  }
  const balance = await balanceAt(pool, { account, at, position });
  if (balance === undefined) throw new CommandError(`there is no account ${account}`);
  return fieldsOf(balance, at, position);
}

function fieldsOf({ account, currency, posted, held }: Balance, at?: Date, position?: number): BalanceFields {
  return {
    account,
    // Of a system account it is the first part of its name: float:cash:CZK.
    ...(account.includes(':') && { type: account.split(':')[0] ?? '' }),
    ...(currency !== undefined && { currency }),
    ...(at && { at: at.toISOString() }),
    ...(position !== undefined && { position }),
    posted: posted.toString(),
    ...(held !== undefined && { held: held.toString() }),
  };
}

function balanceLines(fields: BalanceFields): string[] {
  const { account, type, status, at, position, currency } = fields;
  if (currency === undefined) return [`${account} had no entry by then`];
  const money = (amount: string | undefined): string | undefined =>
    amount === undefined ? undefined : moneyText(amount, currency);
  return fieldLines([
    ['account', account],
    ['type', type],
    ['status', status],
    ['at', at === undefined ? undefined : `${dayText(at)} UTC`],
    ['position', position?.toString()],
    ['balance', money(fields.posted)],
    ['held', money(fields.held)],
    ['limit', money(fields.limit)],
    ['available', money(fields.available)],
  ]);
}

function instantOf(text: string): Date {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const isInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.test(text);
  const instant = new Date(isDay ? `${text}T23:59:59.999Z` : text);
  // `Date` would take 2026-02-30 for the 2nd of March.
  const isReal = !Number.isNaN(instant.getTime()) && (!isDay || instant.toISOString().startsWith(text));
  if ((isDay || isInstant) && isReal) return instant;
  throw new CommandError(
    `--at: a day as 2026-01-31 or an instant as 2026-01-31T12:00:00Z is wanted, not ${JSON.stringify(text)}`,
    exitCodes.usage.code,
  );
}

function positionOf(text: string): number {
  const position = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (position >= 0) return position;
  throw new CommandError(`--position: a number from 0 on is wanted, not ${JSON.stringify(text)}`, exitCodes.usage.code);
}
