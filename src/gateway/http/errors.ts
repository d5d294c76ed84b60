import type { FastifyError } from 'fastify';
import { UnitFailedError } from '../../actors/runtime.ts';
import { PageError } from '../../kernel/page.ts';
import { UnknownEventVersionError } from '../../machines/fact-codec.ts';
import { troubleCauseOf } from '../../platform/postgres/store-trouble.ts';
import { CoreUnreachableError } from '../../reconciliation/index.ts';
import { type Problem, problem, ProblemError } from './problem.ts';
import { invalidRequest } from './validation.ts';

/** What a caller can do who has no answer: of a command nobody knows what became, and a question changed nothing. */
export function unanswered(method: string): string {
  return method === 'GET' || method === 'HEAD'
    ? 'there is no answer, and nothing was changed: ask again'
    : 'the outcome is unknown: send it again with the same idempotency key';
}

/**
 * What was thrown as a problem. A fault says that the outcome is unknown, and nothing of what is inside: `fault` tells
 * whether it is to be logged.
 */
export function problemOfError(error: unknown, method: string): { readonly problem: Problem; readonly fault: boolean } {
  if (error instanceof ProblemError) return { problem: error.problem, fault: false };
  if (error instanceof PageError) {
    const { field, message } = error;
    return { problem: problem('Invalid', `${field}: ${message}`, { figures: { field } }), fault: false };
  }
  const { validation, validationContext, code, statusCode } = error as Partial<FastifyError>;
  if (validation !== undefined) return { problem: refused(validation, validationContext ?? 'request'), fault: false };
  const known = code === undefined ? undefined : fastifyProblems[code];
  if (known !== undefined) return { problem: known, fault: false };
  // Node's word of a caller who broke off while sending, or was cut off for sending too slowly: nothing broke here, and
  // nobody is left to tell.
  if (code === 'ECONNRESET' && (error as Error).message === 'aborted') return { problem: brokenOff, fault: false };
  // An event of a newer release: another process, of that release, can answer.
  if (error instanceof CoreUnreachableError) {
    const detail = `the core cannot be asked now: ${unanswered(method)}`;
    return { problem: problem('Unavailable', detail, { headers: { 'retry-after': '1' } }), fault: true };
  }
  if (error instanceof UnitFailedError || error instanceof UnknownEventVersionError || isOfTheStore(error)) {
    return { problem: problem('Unavailable', unanswered(method), { headers: { 'retry-after': '1' } }), fault: true };
  }
  // Fastify's word about what the caller sent: a name that is too long, a body that ends too soon.
  if (statusCode === 404 || code === 'FST_ERR_MAX_PARAM_LENGTH') return { problem: nothingHere, fault: false };
  if (statusCode === 400) return { problem: problem('Invalid', 'the request cannot be read'), fault: false };
  return { problem: problem('Internal', unanswered(method)), fault: true };
}

function refused(validation: NonNullable<FastifyError['validation']>, part: string): Problem {
  // An id that cannot be one names nothing: that is told as what is not there.
  if (part === 'params') return nothingHere;
  return invalidRequest(validation, part === 'querystring' ? 'query' : part);
}

export const nothingHere = problem('NotFound', 'there is nothing of this name');
const brokenOff = problem('RequestTimeout', 'the request ended before it was there');
const notJson = problem('Invalid', 'body: is no JSON document');
const fastifyProblems: Readonly<Record<string, Problem>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: problem('UnsupportedMediaType', 'content-type: application/json is wanted'),
  FST_ERR_CTP_BODY_TOO_LARGE: problem('BodyTooLarge', 'the body is larger than any request needs'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: problem('Invalid', 'content-length: the body has another length'),
  FST_ERR_CTP_EMPTY_JSON_BODY: problem('Invalid', 'body: is empty'),
  FST_ERR_CTP_INVALID_JSON_BODY: notJson,
  FST_ERR_BAD_URL: nothingHere,
};

/** The database could not be asked, or did not answer in time: asking again may help. */
function isOfTheStore(error: unknown): boolean {
  return troubleCauseOf(error) !== undefined || /cannot use a pool after/i.test(String(error));
}
