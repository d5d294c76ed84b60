/**
 * Watches a payment from its making to its settlement.
 *
 *   npx kora serve
 *   KORA_TOKEN=$(npx kora token --service till) npx node examples/watch-a-payment.ts
 *
 * Stop Kora while it runs, and start it again: the watch goes on where it was.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { granted, Kora } from '../sdk/index.ts';
import { baseUrl, serviceToken, streamUrl } from './setting.ts';

const kora = new Kora({ baseUrl, streamUrl, token: serviceToken });
const wallet = async (amount: bigint): Promise<string> => {
  const { accountId } = granted(await kora.accounts.open({ type: 'customer', currency: 'XOF' }));
  const cash = { kind: 'CASH_IN', amount, currency: 'XOF', payee: accountId, provider: 'cash' } as const;
  if (amount > 0n) granted(await kora.payments.pay(cash));
  return accountId;
};
const [payer, payee] = [await wallet(1_000n), await wallet(0n)];
const { paymentId } = granted(await kora.payments.create({ kind: 'P2P', amount: 700n, currency: 'XOF', payer, payee }));

/** Somebody else takes the payment on, in their own time. */
async function takeOn(): Promise<void> {
  for (const step of ['authorize', 'capture'] as const) {
    await sleep(300);
    granted(await kora.payments[step](paymentId));
  }
}
const takenOn = takeOn();

for await (const told of kora.watch(`payment/${paymentId}`)) {
  if (told.type === 'snapshot') console.log(`it is ${told.state?.status ?? 'not there yet'}`);
  if (told.type !== 'unit') continue;
  // All that happened together is told together.
  for (const { type, status } of told.events) console.log(`${type}: it is ${status}`);
  if (told.events.at(-1)?.status === 'SETTLED') break;
}
await takenOn;
