import { granted, Kora } from '../../../sdk/index.ts';
import type { Controls } from './scenarios.ts';
import type { Stage } from './stage.ts';

/** What scenarios can ask of the test's process: a till that is a service, and trouble on the wires. */
export async function controlsOf(stage: Stage): Promise<Controls> {
  const till = new Kora({ baseUrl: stage.urls.baseUrl, token: await stage.serviceToken('till') });
  const seen = { requests: 0, sockets: 0 };
  const since = (what: keyof typeof seen, requests: readonly string[]): readonly string[] => {
    const news = requests.slice(seen[what]);
    seen[what] = requests.length;
    return news;
  };
  let cutting: { readonly stop: () => void } | undefined;
  return {
    async cashIn(payee, amount) {
      const cash = { kind: 'CASH_IN', amount: BigInt(amount), currency: 'XOF', payee, provider: 'cash' } as const;
      granted(await till.payments.pay(cash));
    },
    async pay(payer, payee, amount) {
      granted(await till.payments.pay({ kind: 'P2P', amount: BigInt(amount), currency: 'XOF', payer, payee }));
    },
    async settle(paymentId) {
      granted(await till.payments.settle(paymentId));
    },
    grant: (login, role) => stage.grant(login, role),
    projected: () => stage.kora.projected(),
    cutNext(request, moment) {
      stage.http.cutNext(request, moment);
      return Promise.resolve();
    },
    cutEvery(request, moment) {
      cutting = stage.http.cutEvery(request, moment);
      return Promise.resolve();
    },
    cutNoMore() {
      cutting?.stop();
      return Promise.resolve();
    },
    answerNext(request, answer) {
      stage.http.answerNext(request, answer);
      return Promise.resolve();
    },
    cutStreams() {
      stage.stream.cutAll();
      return Promise.resolve();
    },
    stop: () => stage.stop(),
    start: () => stage.start(),
    requests: (beginning) =>
      Promise.resolve(since('requests', stage.http.requests).filter((line) => line.startsWith(beginning)).length),
    sockets: () => Promise.resolve(since('sockets', stage.stream.requests).length),
  };
}
