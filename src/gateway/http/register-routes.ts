import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Authenticator } from '../principal.ts';
import { unanswered } from './errors.ts';
import { authenticate, authorize } from './gate.ts';
import type { HttpLimits } from './limits.ts';
import { problem, ProblemError } from './problem.ts';
import type { CountRequest } from './rate/rate-limits.ts';
import { sendAnswer } from './reply.ts';
import type { Answer, Call, Route } from './route.ts';
import { schemaOf } from './route-schema.ts';

export interface RegisterOptions<Parts> {
  readonly authenticator: Authenticator;
  /** A service's token is taken only over a certificate of the service. */
  readonly bound: boolean;
  readonly routes: readonly Route<Parts>[];
  readonly parts: Parts;
  readonly limits: HttpLimits;
  readonly count: CountRequest;
}

/** Registers the routes of the table. `idle` resolves when no handler is at work. */
export function registerRoutes<Parts>(
  app: FastifyInstance,
  { authenticator, bound, routes, parts, limits, count }: RegisterOptions<Parts>,
): { idle(): Promise<void> } {
  const atWork = new Set<Promise<unknown>>();
  for (const route of routes) {
    const gate = gateOf(route, { authenticator, bound, count });
    app.route({
      method: route.method,
      url: route.path,
      schema: schemaOf(route),
      config: { upload: route.upload === true },
      ...(gate !== undefined && { onRequest: gate }),
      ...(route.bodyOptional === true && {
        preValidation: (request, _reply, done) => {
          request.body ??= {};
          done();
        },
      }),
      handler: async (request, reply) => {
        const call = callOf(request, route) as Call<never, never, never, never>;
        const handle = (): Promise<Answer> => route.handle(call, parts);
        // Once more: what waited for the body to arrive is not followed.
        const work = request.span === undefined ? handle() : request.span.run(handle);
        const ended = work.then(nothing, nothing).finally(() => atWork.delete(ended));
        atWork.add(ended);
        return sendAnswer(reply, await answeredWithin(limits.handlerMs, work, request.method));
      },
    });
  }
  return {
    idle: async () => {
      await Promise.all(atWork);
    },
  };
}

function nothing(): void {
  // Somebody else waits for the outcome.
}

/** Who calls, whether too often, and whether the route is for them: before a byte of the body is read. */
function gateOf(
  { access, uncounted }: Pick<Route, 'access' | 'uncounted'>,
  { authenticator, bound, count }: Pick<RegisterOptions<never>, 'authenticator' | 'bound' | 'count'>,
): ((request: FastifyRequest) => Promise<void>) | undefined {
  if (access === 'public') return uncounted === true ? undefined : (request) => count(request, undefined);
  return async (request) => {
    try {
      request.principal = await authenticate(request, authenticator, bound);
    } catch (error) {
      // Who is not let in is counted too: tokens are not to be guessed.
      await count(request, undefined);
      throw error;
    }
    await count(request, request.principal);
    authorize(access, request.principal);
  };
}

const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/;

function callOf(
  request: FastifyRequest,
  route: Pick<Route, 'idempotent' | 'upload'>,
): Call<unknown, unknown, unknown, unknown> {
  const { params, query, body, principal, id: correlationId, method, headers } = request;
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const idempotencyKey = header('idempotency-key') ?? '';
  if (route.idempotent === true && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
    const detail = 'Idempotency-Key: 1 to 255 printable characters of ASCII are wanted, new for each request';
    throw new ProblemError(problem('IdempotencyKeyMissing', detail));
  }
  return {
    params,
    query,
    body,
    principal,
    correlationId,
    idempotencyKey,
    method,
    path: request.url,
    header,
    headers,
    upload: route.upload === true ? (body as AsyncIterable<Uint8Array> | undefined) : undefined,
    rawBody: request.rawBody ?? Buffer.alloc(0),
    address: request.ip,
  };
}

/** Waits so long for an answer and no longer. The work goes on: a command that was taken cannot be called back. */
async function answeredWithin(ms: number, work: Promise<Answer>, method: string): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<Answer>((resolve) => {
    const late = problem('OutcomeUnknown', unanswered(method), { headers: { 'retry-after': '1' } });
    timer = setTimeout(() => resolve(late), ms);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
