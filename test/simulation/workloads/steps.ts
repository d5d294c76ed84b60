import type { KoraRequest } from '../../../src/actors/requests.ts';
import { RECONCILIATION_KINDS } from '../../../src/machines/payment/postings.ts';
import type { Author } from './author.ts';
import { currencies, currencyOf, customers, merchants, walletsIn } from './wallets.ts';

export const workloads = [
  'day',
  'hot wallet',
  'everyone pays everyone',
  'adversarial retries',
  'racing refunds',
  'through providers',
] as const;
export type Workload = (typeof workloads)[number];

function lifelike(author: Author): void {
  const { random } = author;
  const here = walletsIn[random.weighted({ XOF: 3, GHS: 2 })];
  const [payer, payee] = [random.pick(here.customers), random.pick([...here.customers, ...here.merchants])];
  const amount = author.amount();
  const kind = random.weighted({
    P2P: 4,
    CASH_IN: 3,
    CASH_OUT: 3,
    provider: 3,
    payout: 1,
    MERCHANT: 5,
    REFUND: 3,
    FUNDING: 1,
    statement: 1,
    other: 2,
    look: 1,
    newcomer: 2,
  });
  switch (kind) {
    case 'P2P':
      author.payment({ kind, amount, payer, payee });
      return;
    case 'CASH_IN':
      author.payment({ kind, amount, payee, provider: 'cash' });
      return;
    case 'CASH_OUT':
      author.payment({ kind, amount, payer, provider: 'bank:AB' });
      return;
    case 'provider':
      author.throughProvider(random.pick(['CASH_IN', 'CASH_OUT']), payer, amount);
      return;
    case 'payout':
      author.payout();
      return;
    case 'MERCHANT':
      author.payment({ kind, amount, payer, payee: random.pick(here.merchants) });
      return;
    case 'REFUND':
      author.refund(amount);
      return;
    case 'FUNDING':
      author.payment({ kind, amount, payee: here.treasury, provider: 'bank:AB' });
      return;
    case 'statement':
      statement(author, payer, payee);
      return;
    case 'other':
      if (random.chance(0.5)) author.administer();
      else author.step(author.past().id);
      return;
    case 'look':
      author.look();
      return;
    case 'newcomer':
      newcomer(author);
      return;
  }
}

/** What reconciliation books of a statement, and corrects. */
function statement(author: Author, payer: string, payee: string): void {
  const { random } = author;
  const amount = author.amount();
  const kind = random.pick(RECONCILIATION_KINDS);
  switch (kind) {
    case 'CORRECTION_CREDIT':
      author.payment({ kind, amount, payee });
      return;
    case 'CORRECTION_DEBIT':
      author.payment({ kind, amount, payer });
      return;
    case 'WRITE_OFF_GAIN':
      author.payment({ kind, amount });
      return;
    case 'STATEMENT_FEE':
    case 'STATEMENT_INTEREST':
    case 'UNIDENTIFIED_CREDIT':
    case 'UNIDENTIFIED_DEBIT':
    case 'LATE_COLLECTION':
    case 'WRITE_OFF_LOSS':
      author.payment({ kind, amount, provider: 'bank:AB' });
      return;
  }
}

/** Somebody who is paid while the wallet is being opened; perhaps by two, and not as the same. */
function newcomer(author: Author): void {
  const { random } = author;
  const accountId = author.name('new');
  const open = (): void => {
    const walletType = random.pick(['customer', 'merchant'] as const);
    const request = { type: 'OpenAccount', accountId, walletType, currency: random.pick(currencies) } as const;
    author.command({ ...request, idempotencyKey: author.key() });
  };
  author.atOnce(() => {
    for (let left = random.whole(1, 2); left > 0; left--) open();
    for (let left = random.whole(2, 4); left > 0; left--) {
      const currency = random.pick(currencies);
      const upTo = random.pick(['INITIATED', 'INITIATED', 'AUTHORIZED', 'SETTLED'] as const);
      const body = { payee: accountId, amount: author.amount(), currency, upTo };
      const payer = random.pick(walletsIn[currency].customers);
      if (random.chance(0.5)) author.command(author.request({ ...body, kind: 'CASH_IN', provider: 'cash' }));
      else author.command(author.request({ ...body, kind: random.pick(['P2P', 'MERCHANT']), payer }));
    }
  });
}

/** Several payments of one wallet at once, each to somebody else: units that stand on each other, in every process. */
function rush(author: Author): void {
  const { random } = author;
  author.atOnce(() => {
    const payees = ['ben', 'cyd', 'dan', 'shop', 'taxi'];
    for (let left = random.whole(4, 8); left > 0; left--) {
      const amount = BigInt(random.whole(1, 40));
      author.command(author.request({ kind: 'P2P', amount, payer: 'ada', payee: random.pick(payees) }));
    }
  });
}

/** One more piece of a workload. */
export const steps: Readonly<Record<Workload, (author: Author) => void>> = {
  day: lifelike,
  'hot wallet': (author) => {
    const { random } = author;
    const amount = BigInt(random.whole(1, 90));
    const other = random.pick(['ben', 'cyd', 'dan', 'shop']);
    if (random.chance(0.1)) author.look();
    else if (random.chance(0.25)) rush(author);
    else if (random.chance(0.7)) author.payment({ kind: 'P2P', amount, payer: 'ada', payee: other });
    else if (other === 'shop') author.payment({ kind: 'MERCHANT', amount, payer: 'ada', payee: other });
    else author.command(author.request({ kind: 'P2P', amount, payer: other, payee: 'ada' }));
  },
  'everyone pays everyone': (author) => {
    const { random } = author;
    const everyone = [...customers, ...merchants];
    const payer = random.pick(everyone);
    const neighbours = everyone.filter((id) => currencyOf(id) === currencyOf(payer));
    const payee = random.pick(random.chance(0.9) ? neighbours : everyone);
    const amount = BigInt(random.whole(1, 70));
    author.payment({ kind: 'P2P', payer, payee, amount }, random.pick(['SETTLED', 'SETTLED', 'AUTHORIZED']));
  },
  'adversarial retries': (author) => {
    const { random } = author;
    const what = random.weighted({ lifelike: 4, again: 4, stolen: 2, step: 4, account: 1, newcomer: 2 });
    const idempotencyKey = author.keys.length === 0 ? author.key() : random.pick(author.keys.slice(-12));
    const past = author.operations.filter((one) => one.do === 'command').map(({ request }) => request);
    switch (what) {
      case 'lifelike':
        lifelike(author);
        return;
      case 'again':
        again(author, random.pick(past), idempotencyKey);
        return;
      case 'stolen':
        author.command(random.pick(past), undefined, 'service:other');
        return;
      case 'step':
        author.step(author.past().id, undefined, undefined, idempotencyKey);
        return;
      case 'account': {
        const accountId = random.pick(customers);
        author.command({ type: 'SetLimit', accountId, limit: 10n, reason: 'checked', idempotencyKey });
        return;
      }
      case 'newcomer':
        newcomer(author);
        return;
    }
  },
  'racing refunds': (author) => {
    const { random } = author;
    const here = walletsIn[random.weighted({ XOF: 3, GHS: 1 })];
    const payer = random.pick(here.customers);
    const amount = BigInt(random.whole(20, 120));
    const originals = author.asked.filter(({ kind }) => kind === 'MERCHANT');
    if (originals.length < 3 && random.chance(0.6)) {
      author.command(author.request({ kind: 'MERCHANT', amount, payer, payee: random.pick(here.merchants) }), 130);
    } else if (random.chance(0.8)) author.refund(amount / 2n);
    else lifelike(author);
  },
  'through providers': byProviders,
};

/** Most of it goes by providers, and several at once from one wallet. */
function byProviders(author: Author): void {
  const { random } = author;
  const wallet = random.pick(random.chance(0.5) ? customers : customers.slice(0, 1));
  const what = random.weighted({ out: 6, in: 4, payout: 3, rush: 1, lifelike: 2 });
  if (what === 'out') author.throughProvider('CASH_OUT', wallet, author.amount());
  else if (what === 'in') author.throughProvider('CASH_IN', wallet, author.amount());
  else if (what === 'payout') author.payout();
  else if (what === 'lifelike') lifelike(author);
  else
    author.atOnce(() => {
      for (let left = random.whole(2, 5); left > 0; left--)
        author.throughProvider('CASH_OUT', wallet, BigInt(random.whole(5, 60)));
    });
}

/** The same key and body once more, or the body of one under the key of another. */
function again(author: Author, request: KoraRequest, idempotencyKey: string): void {
  author.command({ ...request, ...(author.random.chance(0.5) && { idempotencyKey }) });
}
