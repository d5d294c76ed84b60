import type { StatementHead, StatementPart, StatementProblem } from '../statement.ts';
import { at, childOf, codeAt, textAt, type XmlNode } from '../xml/xml-tree.ts';
import { amountAt } from './camt-amount.ts';
import { arranged, type CamtBalance, type StatementBalances } from './camt-balances.ts';
import { dateIn, dateOf } from './camt-date.ts';
import { accountOf, type TransactionDetails } from './camt-details.ts';
import { entryOf, entryStatus, type ReversalSigns } from './camt-entry.ts';
import type { CamtKind } from './camt-message.ts';

/** What an entry that is no booking can be called. */
const NOT_BOOKED = new Set(['PDNG', 'INFO', 'FUTR']);

/** One `Stmt`, `Rpt` or `Ntfctn` while it is read: its head goes out before its first entry, its foot at its end. */
export class CamtStatement {
  readonly #kind: CamtKind;
  readonly #reversals: ReversalSigns;
  readonly #messagePage: XmlNode | undefined;
  readonly #emit: (part: StatementPart) => void;
  readonly #line: number;
  /** The elements before the entries that the head is made of. */
  readonly #before = new Map<string, XmlNode>();
  readonly #balances: CamtBalance[] = [];
  #lateBalances = 0;
  #arranged: StatementBalances | undefined;
  #currency: string | undefined;
  #lines = 0;
  #entries = 0n;
  #credits = 0n;
  #debits = 0n;
  #foreign = false;
  readonly #notBooked = new Map<string, number>();
  #text: string | undefined;

  constructor(
    kind: CamtKind,
    reversals: ReversalSigns,
    opened: XmlNode,
    messagePage: XmlNode | undefined,
    emit: (part: StatementPart) => void,
  ) {
    this.#kind = kind;
    this.#reversals = reversals;
    this.#line = opened.line;
    this.#messagePage = messagePage;
    this.#emit = emit;
  }

  /** A direct child that is whole and no entry. */
  take(node: XmlNode, balance: CamtBalance | undefined): void {
    if (balance !== undefined) {
      this.#balances.push(balance);
      if (this.#arranged !== undefined) this.#lateBalances += 1;
    } else if (node.name === this.#kind.text) {
      this.#text = textAt(node);
    } else if (!this.#before.has(node.name)) {
      this.#before.set(node.name, node);
    }
  }

  entry(node: XmlNode, transactions: readonly TransactionDetails[]): void {
    this.#begin(childOf(node, 'Amt')?.currency?.trim());
    this.#entries += 1n;
    const status = entryStatus(node) ?? 'BOOK';
    if (status !== 'BOOK') {
      if (!NOT_BOOKED.has(status) && !this.#notBooked.has(status)) {
        this.#problem(
          'StatusUnknown',
          'an entry has a status that is none of BOOK, PDNG, INFO, FUTR: it is no line',
          node,
        );
      }
      this.#notBooked.set(status, (this.#notBooked.get(status) ?? 0) + 1);
      return;
    }
    const { line, problems } = entryOf(node, transactions, {
      index: this.#lines,
      currency: this.#currency,
      reversals: this.#reversals,
      statementDate: this.#date(),
    });
    this.#lines += 1;
    if (line.currency !== undefined) this.#foreign = true;
    if (line.amount < 0n) this.#debits -= line.amount;
    else this.#credits += line.amount;
    this.#emit({ part: 'line', line });
    for (const problem of problems) this.#emit({ part: 'problem', problem });
  }

  end(): void {
    const { closing, others } = this.#begin(undefined);
    // Balances behind the entries are against the schema, and yet some closing balances stand there.
    const late =
      this.#lateBalances === 0 ? undefined : arranged(this.#balances.slice(-this.#lateBalances), this.#currency);
    if (late !== undefined) {
      this.#problem('BalanceMisplaced', 'a balance stands behind the entries: one of opening there is not taken');
    }
    const lateOthers =
      late === undefined ? [] : [...late.others, ...(late.opening === undefined ? [] : [late.opening])];
    const end = closing ?? late?.closing;
    const unused = closing !== undefined && late?.closing !== undefined ? [late.closing] : [];
    this.#checkSummary();
    this.#emit({
      part: 'foot',
      foot: {
        ...(end === undefined ? {} : { closing: end }),
        otherBalances: [...others, ...lateOthers, ...unused],
        ...(this.#text === undefined ? {} : { text: this.#text }),
        linesCount: this.#lines,
        ...(this.#notBooked.size === 0 ? {} : { notBookedCounts: Object.fromEntries(this.#notBooked) }),
      },
    });
  }

  /** Sends the head out, once, and what was wrong with it. */
  #begin(entryCurrency: string | undefined): StatementBalances {
    if (this.#arranged !== undefined) return this.#arranged;
    const account = this.#before.get('Acct');
    this.#currency = codeAt(account, 'Ccy') ?? this.#balances[0]?.currency ?? entryCurrency;
    const balances = arranged(this.#balances, this.#currency);
    this.#arranged = balances;
    const number = accountOf(account);
    const sequence = textAt(this.#before.get('ElctrncSeqNb')) ?? textAt(this.#before.get('LglSeqNb'));
    const reference = textAt(this.#before.get('Id'));
    const head: StatementHead = {
      format: this.#kind.format,
      account: number ?? '',
      ...(this.#currency === undefined ? {} : { currency: this.#currency }),
      ...(reference === undefined ? {} : { reference }),
      ...(sequence === undefined ? {} : { sequence: sequence.trim() }),
      ...this.#page(),
      ...(balances.opening === undefined ? {} : { opening: balances.opening }),
    };
    this.#emit({ part: 'head', head });
    if (number === undefined) this.#problem('AccountMissing', 'a statement does not say of which account it is');
    for (const problem of balances.problems) this.#emit({ part: 'problem', problem });
    return balances;
  }

  /** The statement's own pages; else those of the message, which a single statement may be spread over. */
  #page(): Pick<StatementHead, 'page' | 'lastPage'> {
    const node = this.#before.get(this.#kind.pagination) ?? this.#messagePage;
    const number = codeAt(node, 'PgNb');
    const last = codeAt(node, 'LastPgInd');
    return {
      ...(number === undefined || !/^\d{1,5}$/.test(number) ? {} : { page: Number(number) }),
      ...(last === undefined ? {} : { lastPage: last === 'true' || last === '1' }),
    };
  }

  #date(): string | undefined {
    const created = this.#before.get('CreDtTm');
    const period = this.#before.get('FrToDt');
    const to = childOf(period, 'ToDtTm') ?? childOf(period, 'ToDt');
    return (
      this.#arranged?.closing?.date ??
      (to === undefined ? undefined : dateOf(to)) ??
      (created === undefined ? dateIn(period) : dateOf(created))
    );
  }

  /** `TxsSummry` is the bank's own sum: entries that are missing here would otherwise be missed by nobody. */
  #checkSummary(): void {
    const summary = this.#before.get('TxsSummry');
    if (summary === undefined) return;
    const said = codeAt(summary, 'TtlNtries', 'NbOfNtries');
    if (said !== undefined && /^\d{1,15}$/.test(said) && BigInt(said) !== this.#entries) {
      this.#problem(
        'SummaryMismatch',
        `the bank counts ${said} entries, and there are ${this.#entries}: ask for it again`,
      );
    }
    // With entries that are not booked or in other currencies nobody knows what the bank added up.
    if (this.#currency === undefined || this.#notBooked.size > 0 || this.#foreign) return;
    this.#checkSum(childOf(summary, 'TtlCdtNtries'), this.#credits, 'credits');
    this.#checkSum(childOf(summary, 'TtlDbtNtries'), this.#debits, 'debits');
  }

  #checkSum(total: XmlNode | undefined, sum: bigint, what: string): void {
    const said = at(total, 'Sum');
    if (said === undefined) return;
    const amount = amountAt({ ...said, children: [{ ...said, currency: this.#currency }] }, 'Sum')?.amount;
    if (amount !== sum) {
      this.#problem(
        'SummaryMismatch',
        `the bank's sum of ${what} is ${amount}, that of the lines ${sum} (minor units)`,
      );
    }
  }

  #problem(code: string, message: string, node?: XmlNode): void {
    const problem: StatementProblem = { code, message, at: { line: node?.line ?? this.#line } };
    this.#emit({ part: 'problem', problem });
  }
}
