/**
 * Two people sign up, open wallets, and one pays the other.
 *
 *   npx kora serve
 *   KORA_TOKEN=$(npx kora token --service till) npx node examples/open-a-wallet-and-pay.ts
 *
 * The token is that of a till: money comes into a wallet by the word of a service, never by that of its owner.
 */
import { granted, Kora } from '../sdk/index.ts';
import { baseUrl, login, password, serviceToken } from './setting.ts';

// One client for each person: it holds their session and the key of their device, and renews their tokens.
const ada = new Kora({ baseUrl });
const ben = new Kora({ baseUrl });
granted(await ada.identity.signUp({ login: login('ada'), password }));
granted(await ben.identity.signUp({ login: login('ben'), password }));

const adas = granted(await ada.accounts.open({ type: 'customer', currency: 'XOF' }));
const bens = granted(await ben.accounts.open({ type: 'customer', currency: 'XOF' }));
console.log(`Ada's wallet is ${adas.status}, with ${adas.posted} ${adas.currency}`);

const till = new Kora({ baseUrl, token: serviceToken });
const cash = { kind: 'CASH_IN', amount: 5_000n, currency: 'XOF', payee: adas.accountId, provider: 'cash' } as const;
granted(await till.payments.pay(cash));

// A refusal is a value: nothing is thrown, and its figures say why.
const payment = { kind: 'P2P', currency: 'XOF', payer: adas.accountId, payee: bens.accountId } as const;
const tooMuch = await ada.payments.pay({ ...payment, amount: 50_000n });
if (!tooMuch.ok && tooMuch.refusal.code === 'InsufficientFunds') {
  console.log(`50000 is too much: ${tooMuch.refusal.available} is there`);
}

const paid = granted(await ada.payments.pay({ ...payment, amount: 1_500n }));
console.log(`Ada pays Ben ${paid.amount} ${paid.currency}: ${paid.status}`);

for (const { sentence } of granted(await ada.payments.timeline(paid.paymentId)).items) console.log(`  ${sentence}`);
console.log(`Ada has ${granted(await ada.accounts.balance(adas.accountId)).posted}`);
console.log(`Ben has ${granted(await ben.accounts.balance(bens.accountId)).posted}`);
