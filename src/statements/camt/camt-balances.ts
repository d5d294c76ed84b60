import type { Balance, StatementProblem } from '../statement.ts';
import { at, codeAt, type XmlNode } from '../xml/xml-tree.ts';
import { amountAt, signed } from './camt-amount.ts';
import { dateIn } from './camt-date.ts';

/** A balance with the currency that it is in. */
export interface CamtBalance {
  readonly balance: Balance;
  /** Its code without a sub-type. */
  readonly code: string;
  readonly currency: string;
  readonly line: number;
}

export interface StatementBalances {
  readonly opening?: Balance;
  readonly closing?: Balance;
  readonly others: readonly Balance[];
  readonly problems: readonly StatementProblem[];
}

/** `Bal`. Its kind is the bank's word for it: `OPBD`, `CLBD/INTM` (with a sub-type), or a proprietary one. */
export function balanceOf(node: XmlNode): CamtBalance | undefined {
  const amount = amountAt(node, 'Amt');
  if (amount === undefined) return undefined;
  const type = at(node, 'Tp');
  const coded = at(type, 'CdOrPrtry') ?? type;
  const code =
    codeAt(coded, 'Cd') ?? codeAt(coded, 'Prtry') ?? codeAt(coded, 'Prtry', 'Id') ?? codeAt(node, 'Tp') ?? '';
  const subType = codeAt(type, 'SubTp', 'Cd') ?? codeAt(type, 'SubTp', 'Prtry');
  const date = dateIn(at(node, 'Dt')) ?? dateIn(node);
  return {
    balance: {
      amount: signed(node, amount.amount),
      ...(date === undefined ? {} : { date }),
      kind: subType === undefined ? code : `${code}/${subType}`,
    },
    code,
    currency: amount.currency,
    line: node.line,
  };
}

/**
 * Which balance the entries stand on, and which one they lead to. Opening is OPBD, and where there is none PRCD, the day
 * before's closing. Closing is CLBD. Interim balances (ITBD) take the place that is free: of several the earliest is
 * where the entries begin and the latest where they end; a single one is where they end, and where a CLBD ends them, the
 * beginning. Never is OPBD a closing balance, nor an available balance (CLAV, OPAV …) either.
 */
export function arranged(balances: readonly CamtBalance[], currency: string | undefined): StatementBalances {
  const usable = balances.filter((one) => one.currency === currency);
  const problems: StatementProblem[] = [];
  const first = (code: string): CamtBalance | undefined => {
    const [one, ...more] = usable.filter((balance) => balance.code === code);
    const other = more.find(({ balance }) => balance.amount !== one?.balance.amount);
    if (other !== undefined) {
      problems.push({
        code: 'BalanceAmbiguous',
        message: `${code} is given more than once and with different amounts: the first one is taken; ask the bank`,
        at: { line: other.line },
      });
    }
    return one;
  };
  const interim = usable.filter(({ code }) => code === 'ITBD');
  interim.sort((a, b) => (a.balance.date ?? '').localeCompare(b.balance.date ?? ''));
  let closing = first('CLBD');
  let opening = first('OPBD') ?? first('PRCD');
  closing ??= interim.pop();
  opening ??= interim.shift();
  return {
    ...(opening === undefined ? {} : { opening: opening.balance }),
    ...(closing === undefined ? {} : { closing: closing.balance }),
    others: balances
      .filter((one) => one !== opening && one !== closing)
      .map((one) => (one.currency === currency ? one.balance : { ...one.balance, currency: one.currency })),
    problems,
  };
}
