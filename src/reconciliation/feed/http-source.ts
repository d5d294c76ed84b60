import { Ajv } from 'ajv';
import { Type } from 'typebox';
import type { FedPage, FeedSource } from './contract.ts';

export interface HttpSourceOptions {
  /** Of the core's http door: `https://kora.internal:7400`. */
  readonly url: string;
  /** Of a service with the scope `feeds:read`. */
  readonly token: () => Promise<string>;
  readonly timeoutMs?: number;
}

/** The core did not answer, or not with a page. */
export class FeedUnreachableError extends Error {
  override readonly name = 'FeedUnreachableError';
  readonly code = 'FeedUnreachable';
}

const page = Type.Object({
  items: Type.Array(Type.Object({ position: Type.Integer(), body: Type.String(), signature: Type.String() })),
  next: Type.Integer({ minimum: 0 }),
  last: Type.Integer({ minimum: 0 }),
});
const isPage = new Ajv().compile<FedPage>(page);

/** Reads feeds of a core in another process. */
export function httpSource({ url, token, timeoutMs = 10_000 }: HttpSourceOptions): FeedSource {
  return {
    read: async (feed, after, limit) => {
      const address = new URL(`/v1/feeds/${feed}?after=${after}&limit=${limit}`, url);
      const answer = await asked(address, await token(), timeoutMs);
      if (!isPage(answer)) throw new FeedUnreachableError(`${url} answered with something that is no page of a feed`);
      return answer;
    },
  };
}

async function asked(address: URL, token: string, timeoutMs: number): Promise<unknown> {
  try {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(address, { headers, signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`it answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
    return await response.json();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new FeedUnreachableError(`the feed at ${address.origin} cannot be read: ${why}`, { cause: error });
  }
}
