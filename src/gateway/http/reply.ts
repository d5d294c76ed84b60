import type { FastifyReply } from 'fastify';
import { type Problem, problemDocument, statusOf } from './problem.ts';
import type { Answer } from './route.ts';

const PROBLEM_TYPE = 'application/problem+json';

/** Sends what a handler answered. */
export function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  if ('problem' in answer) return sendProblem(reply, answer);
  if (answer.headers !== undefined) reply.headers(answer.headers);
  return reply.code(answer.status).send(answer.body);
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.headers !== undefined) reply.headers(problem.headers);
  reply.code(statusOf(problem)).type(PROBLEM_TYPE);
  // As bytes: to a text Fastify adds a charset, which this type does not have (RFC 9457).
  return reply.send(Buffer.from(JSON.stringify(problemDocument(problem, reply.request.id))));
}
