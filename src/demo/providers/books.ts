import type { Kora } from '../../composition.ts';
import { moneyText } from '../../cli/money-text.ts';
import { tableLines } from '../../cli/table.ts';
import { accountsById, paymentsById } from '../../projections/queries.ts';
import type { Chronicle } from './chronicle.ts';
import { backupId, mainId, profile } from './connectors-document.ts';
import { currency } from './mobile-payments.ts';
import type { ProviderTotals } from './provider-process.ts';

/** What one side of the wire has done. */
interface Done {
  readonly collected: bigint;
  readonly disbursed: bigint;
  readonly fees: bigint;
}

/** Holds what the providers say of themselves against kora's accounts: both have counted everything, and neither knows of the other's. */
export async function compareBooks(options: {
  readonly kora: Pick<Kora, 'pool'>;
  readonly totals: { readonly main: ProviderTotals; readonly backup: ProviderTotals };
  readonly chronicle: Chronicle;
}): Promise<{ readonly lines: readonly string[]; readonly problems: readonly string[] }> {
  const { kora, totals, chronicle } = options;
  const problems: string[] = [];
  const [main, backup] = [doneOf(totals.main), doneOf(totals.backup)];
  const posted = await accountsOf(kora);
  const payments = await paymentsById(kora.pool, [...chronicle.journeys.keys()]);
  const captured = (kinds: readonly string[]): bigint =>
    payments
      .filter(({ kind, status }) => kinds.includes(kind) && status === 'SETTLED')
      .reduce((sum, payment) => sum + payment.captured, 0n);

  const balanceOf = ({ collected, disbursed, fees }: Done): bigint => collected - disbursed - fees;
  // Debits are negative on every account: what providers hold for us, and what they cost us.
  const compared: readonly (readonly [what: string, main: bigint, backup: bigint, kora: bigint])[] = [
    ['collected', main.collected, backup.collected, captured(['CASH_IN'])],
    ['disbursed', main.disbursed, backup.disbursed, captured(['CASH_OUT', 'PAYOUT'])],
    ['fees (cost:)', main.fees, backup.fees, -posted.cost],
    ['held for us (float:)', balanceOf(main), balanceOf(backup), -posted.float],
    ['on its way in (receivable:)', 0n, 0n, -posted.receivable],
    ['on its way out (payable:)', 0n, 0n, posted.payable],
    ['unexplained (suspense:)', 0n, 0n, posted.suspense],
  ];
  let missing = 0n;
  const rows = compared.map(([what, one, other, ours]) => {
    const difference = one + other - ours;
    missing += difference < 0n ? -difference : difference;
    if (difference !== 0n) problems.push(`${what}: providers and books differ by ${difference}`);
    return [what, ...[one, other, ours, difference].map((amount) => moneyText(amount, currency))];
  });
  const columns = [mainId, backupId, "kora's books", 'difference'];
  const doubles = totals.main.doubles.length + totals.backup.doubles.length;
  const pending = totals.main.pending + totals.backup.pending;
  if (doubles > 0) problems.push(`providers paid ${doubles} payments twice`);
  if (pending > 0) problems.push(`providers are still at ${pending} payments`);
  const lines = [
    ...tableLines([{ title: 'providers' }, ...columns.map((title) => ({ title, align: 'right' as const }))], rows),
    ...endings(chronicle, totals, { doubles, questions: await questionsOf(kora) }, problems),
    missing === 0n ? 'Not one franc is missing.' : `MISSING: ${moneyText(missing, currency)}`,
  ];
  return { lines, problems };
}

function endings(
  { journeys }: Chronicle,
  { main, backup }: { readonly main: ProviderTotals; readonly backup: ProviderTotals },
  { doubles, questions }: { readonly doubles: number; readonly questions: number },
  problems: string[],
): string[] {
  const all = [...journeys.values()];
  const doubted = all.filter(({ wasInDoubt }) => wasInDoubt);
  const settled = doubted.filter(({ status }) => status === 'settled').length;
  const failed = doubted.filter(({ status }) => status === 'failed' || status === 'reversed').length;
  const open = doubted.length - settled - failed;
  const fellBack = all.filter(({ told }) => told.at(-1) === backupId);
  // Those that were sent to the main one first, and came to nothing there.
  const secondTry = fellBack.filter(({ told }) => told.includes(mainId)).length;
  if (open > 0) problems.push(`${open} payments are still in doubt`);
  if (doubted.length === 0) problems.push('no payment was ever in doubt');
  if (fellBack.length === 0) problems.push('no payment fell back');
  const callbacks = main.callbacks.delivered + backup.callbacks.delivered;
  return [
    `in doubt ${doubted.length}: ${settled} carried out, ${failed} not, ${open} still open; ${questions} questions, paid twice: ${doubles}`,
    `fell back ${fellBack.length} of ${all.length} to ${backupId}, ${secondTry} after ${mainId} was tried; ${callbacks} callbacks`,
  ];
}

function doneOf({ moved }: ProviderTotals): Done {
  const { collected, disbursed } = moved[currency] ?? {};
  const sum = (...texts: (string | undefined)[]): bigint => texts.reduce((all, text) => all + BigInt(text ?? 0), 0n);
  return {
    collected: sum(collected?.amount),
    disbursed: sum(disbursed?.amount),
    fees: sum(collected?.fees, disbursed?.fees),
  };
}

async function accountsOf({ pool }: Pick<Kora, 'pool'>) {
  const ids = {
    float: `float:${profile}:${currency}`,
    receivable: `receivable:${profile}:${currency}`,
    payable: `payable:${profile}:${currency}`,
    cost: `cost:${profile}:${currency}`,
    suspense: `suspense:${currency}`,
  };
  const rows = await accountsById(pool, Object.values(ids));
  // An account to which nothing was ever posted is not there.
  const posted = (id: string): bigint => rows.find((row) => row.id === id)?.posted ?? 0n;
  return {
    float: posted(ids.float),
    receivable: posted(ids.receivable),
    payable: posted(ids.payable),
    cost: posted(ids.cost),
    suspense: posted(ids.suspense),
  };
}

/** How often providers were asked what became of a payment. */
async function questionsOf({ pool }: Pick<Kora, 'pool'>): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::int as count from providers.bank_connector_logs where operation = 'getPaymentStatus'`,
  );
  return rows[0]?.count ?? 0;
}
