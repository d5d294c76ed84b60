/**
 * A shop takes a payment and gives a part of it back. The shop is a service: its back end speaks for it.
 *
 *   npx kora serve
 *   KORA_TOKEN=$(npx kora token --service shop) npx node examples/merchant-payment-and-refund.ts
 */
import { granted, Kora } from '../sdk/index.ts';
import { baseUrl, login, password, serviceToken } from './setting.ts';

const shop = new Kora({ baseUrl, token: serviceToken });
const shops = granted(await shop.accounts.open({ type: 'merchant', currency: 'XOF', feeBps: 150 }));

const ada = new Kora({ baseUrl });
granted(await ada.identity.signUp({ login: login('ada'), password }));
const adas = granted(await ada.accounts.open({ type: 'customer', currency: 'XOF' }));
const cash = { kind: 'CASH_IN', amount: 10_000n, currency: 'XOF', payee: adas.accountId, provider: 'cash' } as const;
granted(await shop.payments.pay(cash));

// Ada agrees to 6,000: it is held, and nobody else can have it. The key is the order's name: an app that dies here and asks
// again tomorrow pays once.
const order = { idempotencyKey: `order ${adas.accountId} 1` };
const purchase = {
  kind: 'MERCHANT',
  amount: 6_000n,
  currency: 'XOF',
  payer: adas.accountId,
  payee: shops.accountId,
  upTo: 'AUTHORIZED',
} as const;
const held = granted(await ada.payments.pay(purchase, order));
const again = granted(await ada.payments.pay(purchase, order));
console.log(`${held.authorized} is held once: ${String(held.paymentId === again.paymentId)}`);

// One thing is out of stock: the shop takes 4,000, and the rest is released.
const captured = granted(await shop.payments.capture(held.paymentId, { amount: 4_000n }));
console.log(`${captured.captured} is taken: ${captured.status}`);
const settled = granted(await shop.payments.settle(held.paymentId));
console.log(`the shop has its money: ${settled.status}, fee ${settled.fee ?? ''}`);

const refund = granted(await shop.payments.refund(held.paymentId, { amount: 1_000n }));
console.log(`${refund.kind} of ${refund.amount}: ${refund.status}`);
const tooMuch = await shop.payments.refund(held.paymentId, { amount: 3_500n });
if (!tooMuch.ok && tooMuch.refusal.code === 'RefundExceedsCaptured') {
  console.log(`not more than was taken: ${tooMuch.refusal.refundable} is left`);
}

console.log(`Ada has ${granted(await ada.accounts.balance(adas.accountId)).posted}`);
console.log(`the shop has ${granted(await shop.accounts.balance(shops.accountId)).posted}`);
