import { create } from '@bufbuild/protobuf';
import { CommandSchema, PaymentKind, PayUpTo } from '../gateway/rpc/gen/kora/v1/payment_pb.js';
import type { Driver } from './driver.ts';
import { Watcher } from './watcher.ts';

/** One payment, slowly: each step is a command over rpc, and each event comes back over a WebSocket. */
export async function walkThrough(options: {
  readonly say: (line: string) => void;
  readonly driver: Driver;
  readonly doors: { readonly stream: string; readonly token: string };
  readonly date: string;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { say, driver, doors, date, signal } = options;
  const step = async (value: Parameters<typeof create<typeof CommandSchema>>[1]) => {
    const [payment] = await driver.batches([create(CommandSchema, value)], signal);
    if (payment === undefined) throw new Error('the first payment of the demo was refused');
    return payment;
  };
  const common = { currency: 'XOF', upTo: PayUpTo.SETTLED };
  await step({
    command: {
      case: 'pay',
      value: {
        ...common,
        idempotencyKey: `${date} first cash`,
        kind: PaymentKind.CASH_IN,
        payee: 'customer-1',
        provider: 'cash',
        amount: '10000',
      },
    },
  });
  const { paymentId } = await step({
    command: {
      case: 'initiate',
      value: {
        idempotencyKey: `${date} first`,
        kind: PaymentKind.MERCHANT,
        currency: 'XOF',
        payer: 'customer-1',
        payee: 'merchant-1',
        amount: '2500',
      },
    },
  });
  say(`One payment of 2500 XOF from customer-1 to merchant-1, as a WebSocket client sees it:`);
  const watcher = new Watcher(doors.stream, doors.token, [`payment/${paymentId}`]);
  await watcher.ready();
  say('  INITIATED   (snapshot)');
  watcher.onEvent = ({ status, position, version }) =>
    say(`  ${(status ?? '').padEnd(11)} event ${position} of the log, version ${version} of payment/${paymentId}`);
  const about = { paymentId };
  await step({ command: { case: 'authorize', value: { ...about, idempotencyKey: `${date} first authorize` } } });
  await step({ command: { case: 'capture', value: { ...about, idempotencyKey: `${date} first capture` } } });
  await step({ command: { case: 'settle', value: { ...about, idempotencyKey: `${date} first settle` } } });
  await watcher.until(() => watcher.events >= 3);
  watcher.close();
}
