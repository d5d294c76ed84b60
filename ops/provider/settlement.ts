import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bank, Payment } from './bank.ts';
import type { Payments } from './payments.ts';

/** A day's end: what is confirmed is settled, and a report says it. */
export class Settlement {
  readonly #bank: Bank;
  readonly #payments: Payments;
  readonly #folder: string | undefined;
  readonly #reports: string[] = [];

  constructor(bank: Bank, payments: Payments, folder: string | undefined) {
    this.#bank = bank;
    this.#payments = payments;
    this.#folder = folder;
  }

  /** @returns the report's number, from 1, and its text */
  async settle(): Promise<{ readonly number: number; readonly csv: string }> {
    const settled = this.#bank.all().filter(({ status }) => status === 'confirmed');
    // In one turn of the event loop: nobody sees half a day settled.
    for (const payment of settled) payment.status = 'settled';
    const csv = reportOf(settled, new Date().toISOString().slice(0, 10));
    this.#reports.push(csv);
    const number = this.#reports.length;
    if (this.#folder !== undefined) {
      await mkdir(this.#folder, { recursive: true });
      await writeFile(join(this.#folder, `settlement-${String(number).padStart(5, '0')}.csv`), csv);
    }
    void this.#tell(settled);
    return { number, csv };
  }

  /** Some at a time: whoever is told should not be told everything at once. */
  async #tell(settled: readonly Payment[]): Promise<void> {
    for (let from = 0; from < settled.length; from += 20) {
      const some = settled.slice(from, from + 20);
      await Promise.all(some.map((payment) => this.#payments.say(payment, 'settled')));
    }
  }

  report(number: number): string | undefined {
    return this.#reports[number - 1];
  }

  get count(): number {
    return this.#reports.length;
  }
}

/** `net` is what is credited (+) or debited (−) to our client: a fee makes both worse. */
function reportOf(payments: readonly Payment[], date: string): string {
  const rows = payments.map(({ id, reference, operation, amount, fee, currency }) => {
    const net = operation === 'collect' ? BigInt(amount) - BigInt(fee) : -(BigInt(amount) + BigInt(fee));
    return [date, id, reference, operation, amount, fee, String(net), currency];
  });
  const header = ['date', 'id', 'reference', 'operation', 'amount', 'fee', 'net', 'currency'];
  return [header, ...rows].map((cells) => `${cells.map(quoted).join(',')}\n`).join('');
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
