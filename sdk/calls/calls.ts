import { type Answer, KoraRefusal } from '../answer.ts';
import { KoraFault } from '../fault.ts';
import { isFinal, isRefusal, type Problem, problemIn } from '../refusal.ts';
import type { Credentials } from '../session/credentials.ts';
import { signatureHeaders } from '../session/device.ts';
import { attempt, type Attempt } from './attempt.ts';
import { randomText } from './base64url.ts';
import { type InputOf, type OperationName, pathOf, type Route, routeOf, type ValueOf } from './operations.ts';
import { backoffMs, orAborted, retryAfterMs, sleep, type RetryPolicy } from './retry.ts';

/** What every call can be given. */
export interface CallOptions {
  /** Ends the waiting. What was sent may be carried out all the same. */
  readonly signal?: AbortSignal;
  /** For each try. Default: the client's. */
  readonly timeoutMs?: number;
  /** Under which the call, and all that comes of it, is found in logs and events. Default: one is made. */
  readonly correlationId?: string;
}

/** What a call that changes something can be given beside that. */
export interface CommandOptions extends CallOptions {
  /**
   * The caller's name for this command, up to 255 characters: with the same key it is carried out once, however often it is
   * sent. Default: one is made for each call, and kept over its retries. Give one of your own, stored before the call, where
   * the call must survive a restart of your process.
   */
  readonly idempotencyKey?: string;
}

/** What is special to a call, beside what the operation says of itself. */
export interface Manner {
  /**
   * Whether it may be sent again when nobody knows what became of it. `freely`: doing it twice is doing it once. `never`: only
   * after an answer that says that it was not done. Default: `freely` for what has an idempotency key and for what is no
   * POST, otherwise `never`.
   */
  readonly again?: 'freely' | 'never';
  /** Without a token; and a "try again later" is the caller's to hear (log-in, sign-up, refresh). */
  readonly as?: 'nobody';
}

export interface CallsOptions {
  readonly baseUrl: string;
  readonly credentials: Credentials;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
}

/** No answer, or one that says that another try may do better. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);
/** After these nothing was done, also where there is no idempotency key to make sure. */
const notDone: ReadonlySet<number> = new Set([408, 425, 429]);

/** By which a call is found again. */
interface Ids {
  readonly correlationId: string;
  readonly idempotencyKey?: string;
}

/** Makes calls: puts on what every one needs, and tries again where that is safe. */
export class Calls {
  readonly #options: CallsOptions;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /**
   * Carries an operation out.
   *
   * @throws KoraFault where there is no answer that means something, and the reason of the caller's signal
   */
  async answer<Name extends OperationName>(
    name: Name,
    input: InputOf<Name>,
    options: CommandOptions = {},
    manner: Manner = {},
  ): Promise<Answer<ValueOf<Name>>> {
    const { retry, credentials } = this.#options;
    const { signal, correlationId = randomText() } = options;
    const route = routeOf(name);
    const { again = route.keyed || route.method !== 'POST' ? 'freely' : 'never', as } = manner;
    const idempotencyKey = route.keyed ? (options.idempotencyKey ?? randomText()) : undefined;
    const ids = { correlationId, ...(idempotencyKey !== undefined && { idempotencyKey }) };
    let renewed = false;
    let inDoubt = false;
    for (let failures = 0; ;) {
      signal?.throwIfAborted();
      const token = as === 'nobody' ? undefined : await renewing(credentials.token(), signal, ids);
      const result = await this.#attempt(route, input, { ...ids, token, options });
      const problem = problemOf(result);
      if (token !== undefined && !renewed && problem?.code === 'Unauthenticated') {
        renewed = true;
        const next = await renewing(credentials.instead(token, problem.reason ?? ''), signal, ids);
        if (next !== undefined) continue;
      }
      if (!worthAnother(result, { again, as, route })) return conclusion(result, ids, inDoubt);
      inDoubt ||= route.keyed && (problem === undefined || !isRefusal(problem));
      failures += 1;
      const askedMs = result.type === 'answered' ? (retryAfterMs(result.retryAfter, Date.now()) ?? 0) : 0;
      if (failures >= retry.attemptsMax || askedMs > retry.delayMsMax) return conclusion(result, ids, inDoubt);
      // The jitter comes on top of what the door asks for: all who were sent away got the same figure.
      await sleep(askedMs + backoffMs(failures, retry), signal);
    }
  }

  async #attempt(
    route: Route,
    input: {
      readonly path?: object;
      readonly query?: Readonly<Record<string, string | number | undefined>>;
      readonly body?: object;
    },
    of: Ids & { readonly token: string | undefined; readonly options: CallOptions },
  ): Promise<Attempt> {
    const { baseUrl, credentials } = this.#options;
    const { token, correlationId, idempotencyKey, options } = of;
    const { method, signed } = route;
    const path = pathOf(route, { ...input.path });
    const body = input.body === undefined ? undefined : JSON.stringify(input.body, amountsAsTexts);
    const device = await credentials.device();
    const signature =
      signed && device !== undefined
        ? await signatureHeaders(device, { method, path, body: body ?? '' }, await credentials.now())
        : undefined;
    return attempt({
      method,
      url: baseUrl + path + queryText({ ...input.query }),
      headers: {
        accept: 'application/json, application/problem+json',
        'kora-correlation-id': correlationId,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(device !== undefined && { 'kora-device': device.id }),
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
        ...signature,
      },
      body,
      timeoutMs: options.timeoutMs ?? this.#options.timeoutMs,
      signal: options.signal,
    });
  }
}

/** A token that could not be had may end a command that an earlier try has carried out: the fault must bear its key. */
async function renewing<T>(token: Promise<T>, signal: AbortSignal | undefined, ids: Ids): Promise<T> {
  try {
    return await orAborted(token, signal);
  } catch (error) {
    if (error instanceof KoraFault) throw new KoraFault(error.code, error.message, { ...ids, cause: error });
    throw error;
  }
}

/** JSON has no whole numbers that are large enough for money. */
function amountsAsTexts(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

function problemOf(result: Attempt): Problem<string> | undefined {
  return result.type === 'answered' ? problemIn(result.body) : undefined;
}

function worthAnother(
  result: Attempt,
  {
    again,
    as,
    route,
  }: { readonly again: 'freely' | 'never'; readonly as: 'nobody' | undefined; readonly route: Route },
): boolean {
  if (result.type === 'lost') return again === 'freely';
  const { status } = result;
  // Who is to wait before the next password has to hear it.
  if (as === 'nobody' && status === 429) return false;
  const problem = problemOf(result);
  // A refusal says itself that nothing was done.
  if (passing.has(status))
    return again === 'freely' || notDone.has(status) || (problem !== undefined && isRefusal(problem));
  const code = problem?.code;
  // Browsers send a request again by themselves when a connection that they kept is cut: with the nonce that it had.
  if (code === 'NonceReplayed') return route.keyed;
  return code === 'StillRunning';
}

/** @param inDoubt an earlier try may have been carried out */
function conclusion<T>(result: Attempt, ids: Ids, inDoubt: boolean): Answer<T> {
  if (result.type === 'lost')
    throw new KoraFault('Unreachable', 'Kora did not answer', { ...ids, cause: result.error });
  const { status, body } = result;
  // A captive portal says 200 to everything, and means itself.
  if (status === 204 || (status >= 200 && status < 300 && body !== undefined)) return { ok: true, value: body as T };
  const problem = problemIn(body);
  if (problem === undefined) {
    const code = passing.has(status) ? 'Unreachable' : 'NotUnderstood';
    throw new KoraFault(code, `an answer with status ${status} that is not Kora's`, ids);
  }
  if (isRefusal(problem)) {
    if (!inDoubt || isFinal(problem)) return { ok: false, refusal: problem };
    const refused = `an earlier try may have been carried out, and this one was refused: ${problem.code}`;
    throw new KoraFault('Unreachable', refused, { ...ids, cause: new KoraRefusal(problem) });
  }
  throw new KoraFault(status === 500 ? 'Internal' : 'Unreachable', `${problem.code}: ${problem.detail}`, ids);
}
