/** What one try came to: an answer of whatever kind, or none. */
export type Attempt =
  | {
      readonly type: 'answered';
      readonly status: number;
      /** Parsed JSON; undefined where there was none. */
      readonly body: unknown;
      readonly retryAfter: string | null;
    }
  | { readonly type: 'lost'; readonly error: unknown };

export interface AttemptRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends a request once, and reads the whole answer.
 *
 * @throws the reason of the caller's signal, when that ended it
 */
export async function attempt(request: AttemptRequest): Promise<Attempt> {
  const { method, url, headers, body, timeoutMs, signal } = request;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method,
      headers,
      ...(body !== undefined && { body }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      // Tokens go in a header: cookies would only make the call forgeable from other pages.
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
    });
    const text = await response.text();
    return {
      type: 'answered',
      status: response.status,
      body: isJson(response.headers.get('content-type')) ? parsed(text) : undefined,
      retryAfter: response.headers.get('retry-after'),
    };
  } catch (error) {
    signal?.throwIfAborted();
    return { type: 'lost', error };
  }
}

function isJson(contentType: string | null): boolean {
  return /^application\/(?:[a-z.-]+\+)?json\b/i.test(contentType ?? '');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
