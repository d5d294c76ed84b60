import type { FastifySchema } from 'fastify';
import { Type, type TSchema } from 'typebox';
import { type ProblemCode, problemKinds } from './problem-map.ts';
import type { Route } from './route.ts';

/** Every problem has this form (RFC 9457). `type`, `title` and `status` follow from `code`; further members are figures. */
export const problemSchema = Type.Object(
  {
    type: Type.String({ description: 'what kind of problem it is; stable (docs/errors.md)' }),
    title: Type.String({ description: 'the same for every problem of this type' }),
    status: Type.Integer(),
    detail: Type.String({ description: 'what it is about this time, for people' }),
    code: Type.String({ description: 'the last part of `type`, for programs' }),
    correlationId: Type.String({ description: 'ties answer, log lines and facts together' }),
    field: Type.Optional(Type.String({ description: 'which field of the request is wrong' })),
  },
  { title: 'Problem', additionalProperties: true },
);

const noFields = Type.Object({}, { additionalProperties: false });

/** What Fastify checks a route's requests against, and what the OpenAPI document is made from. */
export function schemaOf(route: Route<never>): FastifySchema & Record<string, unknown> {
  const { params, query = noFields, body } = route;
  return {
    operationId: route.operation,
    tags: [route.tag],
    summary: route.summary,
    description: descriptionOf(route),
    security: route.access === 'public' ? [] : [{ bearer: [] }],
    headers: headersOf(route),
    ...(params !== undefined && { params }),
    querystring: query,
    ...(body !== undefined && { body }),
    response: answersOf(route),
  };
}

function descriptionOf({ description, access }: Route<never>): string {
  if (access === 'public') return [description, 'For everybody.'].filter((part) => part !== undefined).join('\n\n');
  const roles = Object.entries(access.roles).map(([role, reach]) =>
    reach === 'own' ? `${role} (what is theirs)` : role,
  );
  const scopes = access.scopes.map((scope) => `\`${scope}\``).join(' or ');
  const scope = scopes === '' ? '' : ` Services need the scope ${scopes}.`;
  return [description, `For ${roles.join(', ')}.${scope}`].filter((part) => part !== undefined).join('\n\n');
}

function headersOf({ access, idempotent, sensitive }: Route<never>): TSchema {
  const text = (description: string): TSchema => Type.Optional(Type.String({ description }));
  return Type.Object({
    'Kora-Correlation-Id': text('ties calls together; made here if it is not sent'),
    ...(access !== 'public' && { 'Kora-Device': text("users: the device's id, which the token is bound to") }),
    ...(idempotent === true && {
      'Idempotency-Key': Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'new for each request, the same for its retries: the same key and body get the first answer again',
      }),
    }),
    ...(sensitive === true && {
      'Kora-Timestamp': text('users, for sensitive commands: now, ISO 8601'),
      'Kora-Nonce': text('users, for sensitive commands: 16 to 64 of base64url, never used before'),
      'Kora-Signature': text('users, for sensitive commands: Ed25519 by the device key (docs/security.md)'),
    }),
  });
}

/** Problems by status: those of every route, those that its declaration brings with it, and its own. */
export function problemsOf({
  access,
  params,
  body,
  idempotent,
  sensitive,
  upload,
  problems = [],
}: Route<never>): readonly ProblemCode[] {
  return [
    'Invalid',
    'TooManyRequests',
    'ShuttingDown',
    'Unavailable',
    'OutcomeUnknown',
    'Internal',
    ...(access === 'public' ? [] : (['Unauthenticated', 'Forbidden'] as const)),
    ...(params === undefined ? [] : (['NotFound'] as const)),
    ...(body === undefined && upload !== true
      ? []
      : (['UnsupportedMediaType', 'BodyTooLarge', 'RequestTimeout'] as const)),
    ...(idempotent === true
      ? (['IdempotencyKeyMissing', 'IdempotencyConflict', 'StillRunning', 'Overloaded', 'Contended'] as const)
      : []),
    ...(sensitive === true
      ? (['SignatureRequired', 'SignatureInvalid', 'TimestampOutsideWindow', 'NonceReplayed'] as const)
      : []),
    ...problems,
  ];
}

/** Whatever is no JSON is text to whoever reads the document. */
function contentOf(schema: TSchema, mediaTypes: Route['mediaTypes'] = ['application/json']): Record<string, object> {
  const text = Type.String();
  return Object.fromEntries(mediaTypes.map((type) => [type, { schema: type === 'application/json' ? schema : text }]));
}

function answersOf(route: Route<never>): Readonly<Record<number, unknown>> {
  const answers: Record<number, unknown> = {};
  for (const [status, schema] of Object.entries(route.answers)) {
    answers[Number(status)] =
      schema === null
        ? { description: 'done', type: 'null' }
        : { description: 'done', content: contentOf(schema, route.mediaTypes) };
  }
  const codes = new Map<number, ProblemCode[]>();
  for (const code of new Set(problemsOf(route))) {
    const { status } = problemKinds[code];
    codes.set(status, [...(codes.get(status) ?? []), code]);
  }
  for (const [status, some] of [...codes].sort(([a], [b]) => a - b)) {
    const done = answers[status] as { content?: object } | undefined;
    answers[status] = {
      description: some.join(', '),
      content: { ...done?.content, 'application/problem+json': { schema: problemSchema } },
    };
  }
  return answers;
}
