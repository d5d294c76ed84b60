import { isUnavailable } from '../../../eventstore/index.ts';

/**
 * Why the database does not do what it is asked, as far as its errors tell. `log …`: the KurrentDB that keeps the log, where
 * one does.
 */
export type TroubleKind =
  'unreachable' | 'disk full' | 'crowded' | 'held up' | 'read-only' | 'ill' | 'log unreachable' | 'log ill';

export interface TroubleCause {
  readonly kind: TroubleKind;
  /** A sentence for everybody, callers included: nothing of what is inside is in it. */
  readonly reason: string;
  /** For whoever runs kora. */
  readonly remedy: string;
}

const causes: Readonly<Record<TroubleKind, Omit<TroubleCause, 'kind'>>> = {
  unreachable: {
    reason: 'the database cannot be reached',
    remedy: 'see that PostgreSQL runs, and that the network leads to it; kora goes on by itself',
  },
  'disk full': {
    reason: 'the disk of the database is full',
    remedy: 'make room on the disk of the data folder or of pg_wal; kora goes on by itself',
  },
  crowded: {
    reason: 'the database takes no more connections',
    remedy: 'see in pg_stat_activity who has them, or raise max_connections; kora goes on by itself',
  },
  'held up': {
    reason: 'somebody holds up the database',
    remedy: 'see in pg_stat_activity and pg_locks who holds a lock for so long, and end it; kora goes on by itself',
  },
  'read-only': {
    reason: 'the database takes no writes',
    remedy: 'it is a standby, or default_transaction_read_only is on: lead kora to the primary; it goes on by itself',
  },
  ill: {
    reason: 'the database does not do what it is asked',
    remedy: 'look into the log of PostgreSQL; kora goes on by itself when it works again',
  },
  'log unreachable': {
    reason: 'the event log cannot be reached',
    remedy: 'see that the KurrentDB of EVENTSTORE_URL runs, and that the network leads to it; kora goes on by itself',
  },
  'log ill': {
    reason: 'the event log does not do what it is asked',
    remedy: 'look into the log of the KurrentDB of EVENTSTORE_URL; kora goes on by itself when it works again',
  },
};

/** SQLSTATE (https://www.postgresql.org/docs/18/errcodes-appendix.html) or code of Node, the first that fits. */
const kindsByCode: readonly (readonly [RegExp, TroubleKind])[] = [
  [/^53100$/, 'disk full'],
  [/^53300$/, 'crowded'],
  [/^(55P03|57014|40P01|40001)$/, 'held up'],
  [/^25006$/, 'read-only'],
  [/^(08|57P|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT)/, 'unreachable'],
  [/^(53|55|58)/, 'ill'],
];

/** What pg says without a code: of its own time-outs, and of connections that ended under it. */
const unreachableWords = /timeout|Connection terminated|not queryable|Connection ended/i;

/**
 * The trouble of the database that an error, or what caused it, tells of. Undefined: it tells of none, and is the fault of
 * what was asked.
 */
export function troubleCauseOf(error: unknown): TroubleCause | undefined {
  for (let depth = 0, at = error; at instanceof Error && depth < 8; depth++, at = at.cause) {
    const kind = kindOf(at);
    if (kind !== undefined) return causeOfKind(kind);
  }
  return undefined;
}

export function causeOfKind(kind: TroubleKind): TroubleCause {
  return { kind, ...causes[kind] };
}

function kindOf(error: Error): TroubleKind | undefined {
  if (isUnavailable(error)) return 'log unreachable';
  if (/No space left on device/.test(error.message)) return 'disk full';
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return unreachableWords.test(error.message) ? 'unreachable' : undefined;
  return kindsByCode.find(([codes]) => codes.test(code))?.[1];
}
