import { Type } from 'typebox';
import {
  caseKinds,
  caseStates,
  correctingKinds,
  type Resolution,
  writeOffKinds,
} from '../../../reconciliation/index.ts';
import { accountId, amount, currency, instant, next, pageQuery, paymentId, provider, reason } from './fields.ts';
import { literals } from './payment.ts';

const caseId = Type.String({
  pattern: '^[A-Za-z0-9_-]{27}$',
  description: 'id of a case, as it was answered: 27 characters',
  examples: ['q3Zp0m1bJ8yq3o0yYw6f2m9kq1E'],
});
const principal = Type.String({
  pattern: '^(?:user|service|operator):[A-Za-z0-9_.-]{1,64}$',
  description: 'who: user:<id> or service:<name>',
  examples: ['user:01890a5d-ac96-774b-bcce-b302099a8057'],
});
const sideId = Type.String({ pattern: '^[A-Za-z0-9_.:-]{1,128}$', description: 'id of a line, or of a payment' });
const sideIds = Type.Array(sideId, { maxItems: 200, uniqueItems: true });

export const caseParams = Type.Object({ id: caseId }, { additionalProperties: false });

const filters = {
  state: Type.Optional(literals(caseStates)),
  open: Type.Optional(Type.Boolean({ description: 'true: only those that have not ended' })),
  kind: Type.Optional(literals(caseKinds)),
  profile: Type.Optional(provider),
  assignee: Type.Optional(principal),
  dueBefore: Type.Optional(instant),
  openedBefore: Type.Optional(instant),
};
export const casesQuery = Type.Object({ ...filters, ...pageQuery }, { additionalProperties: false });
export const casesExportQuery = Type.Object(filters, { additionalProperties: false });

const link = (kind: 'link' | 'separate') =>
  Type.Object({ kind: Type.Literal(kind), lineIds: sideIds, expectationIds: sideIds }, { additionalProperties: false });
const resolution = Type.Unsafe<Resolution>(
  Type.Union([
    link('link'),
    link('separate'),
    Type.Object(
      {
        kind: Type.Literal('correct'),
        entry: literals(correctingKinds),
        amount,
        account: Type.Optional(accountId),
      },
      { additionalProperties: false },
    ),
    Type.Object(
      { kind: Type.Literal('write_off'), entry: literals(writeOffKinds), amount },
      { additionalProperties: false },
    ),
    Type.Object({ kind: Type.Literal('ask'), paymentId }, { additionalProperties: false }),
    Type.Object({ kind: Type.Literal('dismiss') }, { additionalProperties: false }),
  ]),
);

export const assignBody = Type.Object(
  { assignee: principal, reason: Type.Optional(reason) },
  { additionalProperties: false, title: 'CaseAssignment' },
);
export const commentBody = Type.Object(
  {
    text: Type.String({
      minLength: 1,
      maxLength: 1_000,
      description: 'at most 1000 characters, without personal data: no names, numbers or addresses of people',
    }),
  },
  { additionalProperties: false, title: 'CaseComment' },
);
export const escalateBody = Type.Object({ reason }, { additionalProperties: false, title: 'CaseEscalation' });
export const resolveBody = Type.Object(
  { resolution, reason },
  { additionalProperties: false, title: 'CaseResolution' },
);
export const approveBody = Type.Object(
  {
    proposal: Type.Integer({ minimum: 1, description: 'number of the proposal that was looked at' }),
    verdict: Type.Optional(literals(['approve', 'reject'])),
    reason,
  },
  { additionalProperties: false, title: 'CaseApproval' },
);

const proposal = Type.Object(
  { number: Type.Integer({ minimum: 1 }), resolution, why: Type.String(), by: Type.String(), at: instant },
  { additionalProperties: false },
);
const fields = {
  caseId,
  version: Type.Integer({ minimum: 1 }),
  state: literals(caseStates),
  kind: literals(caseKinds),
  profile: Type.String(),
  amount,
  direction: literals(['in', 'out']),
  currency,
  lineIds: Type.Array(Type.String()),
  paymentIds: Type.Array(Type.String()),
  reason: Type.Optional(Type.String({ description: 'code of why it stands alone, or of why the core refused' })),
  openedAt: instant,
  dueAt: instant,
  overdue: Type.Boolean({ description: 'it should have been dealt with by now, and has not ended' }),
  assignee: Type.Optional(Type.String()),
  moved: amount,
  proposal: Type.Optional(Type.Unsafe<object>({ ...proposal, description: 'waits for another person' })),
  working: Type.Optional(
    Type.Unsafe<object>({ ...proposal, description: 'begun; its outcome is not known yet, and comes by itself' }),
  ),
  unfinished: Type.Optional(
    Type.Object(
      { ...proposal.properties, paymentIds: Type.Array(Type.String()), code: Type.String() },
      { additionalProperties: false, description: 'booked in part, then refused: its rest is to be resolved first' },
    ),
  ),
  endedAt: Type.Optional(instant),
  cause: Type.Optional(
    Type.String({ description: 'a kind of resolution; or matched, reopened, superseded: by itself' }),
  ),
};
export const caseView = Type.Object(fields, { additionalProperties: false, title: 'Case' });
export const casePage = Type.Object(
  { items: Type.Array(caseView), next },
  { additionalProperties: false, title: 'CasePage' },
);
export const caseHistory = Type.Object(
  {
    ...fields,
    history: Type.Array(
      Type.Object(
        {
          at: instant,
          by: Type.String(),
          what: Type.String(),
          why: Type.Optional(Type.String()),
          assignee: Type.Optional(Type.String()),
          number: Type.Optional(Type.Integer()),
          resolution: Type.Optional(resolution),
          paymentIds: Type.Optional(Type.Array(Type.String())),
          code: Type.Optional(Type.String()),
          said: Type.Optional(Type.String({ description: 'the word of the provider, where it was asked' })),
          cause: Type.Optional(Type.String()),
          text: Type.Optional(Type.String()),
        },
        { additionalProperties: false },
      ),
      { description: 'who, when, what, why' },
    ),
  },
  { additionalProperties: false, title: 'CaseHistory' },
);
export const casesCsvText = Type.String({ description: 'text/csv, a title line first (RFC 4180)' });
