import type { RecordedUnit } from '../../../eventstore/index.ts';
import type { WalletFact } from '../../machines/account/account.facts.ts';
import type { WalletSnapshot } from '../../machines/account/account.machine.ts';
import { evolveWallet } from '../../machines/evolve.ts';
import { categoryOf, idOf } from '../../machines/streams.ts';
import { systemEvents, walletEvents } from '../facts.ts';
import type { Finding } from './finding.ts';

/** A wallet, added up from entries and holds alone. */
interface Sums {
  posted: bigint;
  held: bigint;
  limit: bigint;
}

/** Money: every unit sums to zero, every wallet is what its entries and holds add up to, and within its limit. */
export class LedgerCheck {
  readonly #found: (finding: Finding) => void;
  readonly #sums = new Map<string, Sums>();
  readonly #wallets = new Map<string, WalletSnapshot | 'broken'>();

  constructor(found: (finding: Finding) => void) {
    this.#found = found;
  }

  visit(unit: RecordedUnit): void {
    const totals = new Map<string, bigint>();
    const add = (currency: string, amount: string): void => {
      totals.set(currency, (totals.get(currency) ?? 0n) + BigInt(amount));
    };
    for (const row of unit.rows) {
      const category = categoryOf(row.stream);
      if (category === 'system') {
        for (const { data } of systemEvents(row)) add(data.currency, data.amount);
      } else if (category === 'account') {
        const id = idOf(row.stream);
        for (const [index, event] of walletEvents(row).entries()) {
          if (event.type === 'EntryPosted') add(event.data.currency, event.data.amount);
          this.#takeWallet(id, { type: event.type, ...event.data } as WalletFact, row.position + index);
        }
      }
    }
    for (const [currency, total] of totals) {
      if (total === 0n) continue;
      const message = `the entries of unit ${unit.id} sum to ${total} ${currency}, not to zero`;
      this.#found({ check: 'entries', position: unit.position, message });
    }
  }

  #takeWallet(id: string, fact: WalletFact, position: number): void {
    this.#addUp(id, fact, position);
    const before = this.#wallets.get(id);
    if (before === 'broken') return;
    const after = evolveWallet(before, fact, id);
    if (after === 'illegal') {
      const message = `wallet ${id} takes no such ${fact.type} when it is ${before?.value ?? 'not open'}`;
      this.#found({ check: 'wallets', position, message });
    }
    // A wallet that went wrong once has no state to hold later facts against.
    this.#wallets.set(id, after === 'illegal' ? 'broken' : after);
  }

  /** By arithmetic of its own, so that a fault in the machine does not hide itself. */
  #addUp(id: string, fact: WalletFact, position: number): void {
    let sums = this.#sums.get(id);
    if (sums === undefined) this.#sums.set(id, (sums = { posted: 0n, held: 0n, limit: BigInt(fact.after.limit) }));
    const before = sums.posted - sums.held + sums.limit;
    if (fact.type === 'HoldPlaced') sums.held += BigInt(fact.amount);
    else if (fact.type === 'HoldReleased') sums.held -= BigInt(fact.amount);
    else if (fact.type === 'AccountLimitSet') sums.limit = BigInt(fact.after.limit);
    else if (fact.type === 'EntryPosted') {
      sums.posted += BigInt(fact.amount);
      sums.held -= BigInt(fact.released ?? '0');
    }
    const { posted, held, limit } = fact.after;
    if (BigInt(posted) !== sums.posted || BigInt(held) !== sums.held || BigInt(limit) !== sums.limit) {
      const [says, is] = [`posted ${posted}, held ${held}`, `posted ${sums.posted}, held ${sums.held}`];
      this.#found({
        check: 'wallets',
        position,
        message: `the fact says of wallet ${id} ${says}; its entries and holds come to ${is}`,
      });
      // Go on from what the log says: one fault, one finding.
      Object.assign(sums, { posted: BigInt(posted), held: BigInt(held), limit: BigInt(limit) });
    }
    const available = sums.posted - sums.held + sums.limit;
    const isForced = fact.type === 'EntryPosted' && fact.forced === true;
    // Below its limit since something forced it there, a wallet may still be used for what makes it no worse.
    if (available < 0n && available < before && !isForced) {
      this.#found({ check: 'limits', position, message: `wallet ${id} was taken ${-available} below its limit` });
    }
  }
}
