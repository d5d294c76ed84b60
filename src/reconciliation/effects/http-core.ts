import { type Core, type CoreAnswer, CoreUnreachableError } from './core.ts';

export interface HttpCoreOptions {
  /** Of the core's http door. */
  readonly url: string;
  /** Of a service with the scopes `payments:settle`, `payments:write` and `ledger:correct`. */
  readonly token: () => Promise<string>;
  readonly timeoutMs?: number;
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
}

/** Answers that say nothing of the command itself: it is asked again. */
const passing = new Set([
  'Overloaded',
  'Contended',
  'StillRunning',
  'Unavailable',
  'OutcomeUnknown',
  'TooManyRequests',
]);

/** Commands the core over its http door, with the keys as idempotency keys. */
export function httpCore({ url, token, timeoutMs = 15_000 }: HttpCoreOptions): Core {
  async function post(path: string, key: string, body: object): Promise<CoreAnswer> {
    const response = await fetch(new URL(path, url), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await token()}`,
        'content-type': 'application/json',
        'idempotency-key': key,
        'kora-correlation-id': `reconciliation:${key}`,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: unknown) => {
      throw new CoreUnreachableError(`the core at ${url} does not answer`, { cause: error });
    });
    const answer = (await response.json().catch(() => ({}))) as Problem & { readonly paymentId?: string };
    if (response.ok) return { outcome: 'done', paymentId: answer.paymentId ?? '' };
    const { code = `http ${response.status}`, detail = '' } = answer;
    if (response.status >= 500 || response.status === 429 || [401, 403].includes(response.status) || passing.has(code))
      throw new CoreUnreachableError(`the core at ${url} answered ${response.status} ${code}: ${detail}`);
    return { outcome: 'refused', code, message: detail };
  }
  async function statusOf(path: string): Promise<string | undefined> {
    const headers = { authorization: `Bearer ${await token()}` };
    const answered = fetch(new URL(path, url), { headers, signal: AbortSignal.timeout(timeoutMs) });
    const response = await answered.catch((error: unknown) => {
      throw new CoreUnreachableError(`the core at ${url} does not answer`, { cause: error });
    });
    return response.ok ? ((await response.json()) as { readonly status?: string }).status : undefined;
  }
  return {
    settle: async ({ key, paymentId, instructed, providerRef, providerFee }) => {
      const path = `/v1/payments/${encodeURIComponent(paymentId)}`;
      const fee = { providerFee: providerFee.toString() };
      const answer = instructed
        ? await post(`${path}/resolve`, key, { outcome: 'settled', providerRef, ...fee })
        : await post(`${path}/settle`, key, fee);
      if (answer.outcome === 'done') return answer;
      // Somebody settled it before: it is linked, and that is all.
      return (await statusOf(path)) === 'SETTLED' ? { outcome: 'done', paymentId } : answer;
    },
    mark: async (lines) => {
      const answered = fetch(new URL('/v1/statement-lines', url), {
        method: 'PUT',
        headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
        body: JSON.stringify({ lines }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const response = await answered.catch((error: unknown) => {
        throw new CoreUnreachableError(`the core at ${url} does not answer`, { cause: error });
      });
      if (!response.ok)
        throw new CoreUnreachableError(`the core at ${url} answered ${response.status}: ${await response.text()}`);
    },
    book: ({ key, kind, amount, currency, provider, payer, payee }) =>
      post('/v1/payments', key, {
        kind,
        amount: amount.toString(),
        currency,
        upTo: 'SETTLED',
        ...(provider !== undefined && { provider }),
        ...(payer !== undefined && { payer }),
        ...(payee !== undefined && { payee }),
      }),
  };
}
