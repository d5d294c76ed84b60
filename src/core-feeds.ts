import type { EventLog } from '../eventstore/index.ts';
import type { OpenedLine, StatementIntake } from './connectors/index.ts';
import type { Feeds } from './gateway/feeds.ts';
import { type Envelope, paymentFeed, signedItem, type StatementLineEvent } from './webhooks/index.ts';

export interface CoreFeedsOptions {
  readonly log: Pick<EventLog, 'readAll' | 'lastPosition'>;
  readonly intake: Pick<StatementIntake, 'linesAfter' | 'lastLine' | 'matchingFields' | 'hasher' | 'referenceHash'>;
  readonly secret: string;
  readonly now?: () => Date;
}

/**
 * The feeds that reconciliation reads: payments from the log, lines from the statements. References, words, accounts and
 * counterparties leave as keyed hashes, made with the same key on both sides, so that they can be compared and not read.
 */
export function coreFeeds({ log, intake, secret, now = () => new Date() }: CoreFeedsOptions): Feeds {
  const payments = paymentFeed({
    log,
    secret,
    now,
    tokensOf: (all) => Promise.all(all.map((one) => tokensOf(one, intake))),
  });
  return {
    read: async (feed, after, limit) => {
      if (feed === 'payments') return payments.read(after, limit);
      const last = Number(await intake.lastLine());
      const facts = await intake.linesAfter(BigInt(after), limit);
      const opened = new Map(
        (await intake.matchingFields(facts.map(({ lineId }) => lineId))).map((one) => [one.id, one]),
      );
      const hash = await intake.hasher();
      const at = now();
      const items = facts.flatMap(({ position, lineId }) => {
        const line = opened.get(lineId);
        return line === undefined ? [] : [signedItem(Number(position), lineEvent(line, hash), secret, at)];
      });
      const next = Number(facts.at(-1)?.position ?? after);
      return { items, next, last: Math.max(next, last) };
    },
  };
}

/** What a statement may say of a payment: our key there (its id), the provider's reference, and what it is booked with. */
async function tokensOf(
  { type, subject, data }: Envelope,
  intake: Pick<StatementIntake, 'referenceHash'>,
): Promise<string[]> {
  const [references, groups]: [unknown[], unknown[]] = [[], []];
  if (type === 'payment.initiated') {
    references.push(subject.slice('payment/'.length));
    groups.push(data['payout']);
  }
  references.push(data['providerRef']);
  const hashed = async (texts: unknown[], prefix: string): Promise<string[]> => {
    const known = texts.filter((text) => typeof text === 'string');
    const hashes = await Promise.all(known.map((text) => intake.referenceHash(text)));
    return hashes.flatMap((one) => (one === undefined ? [] : [prefix + one]));
  };
  return [...(await hashed(references, '')), ...(await hashed(groups, 'group:'))];
}

type Hash = (kind: string, text: string) => string;

/** `statement.line`, version 1: docs/events.md. */
function lineEvent(line: OpenedLine, hash: Hash): StatementLineEvent {
  const { fields, transactionCode, entryDate } = line;
  const details = fields.details as
    { counterpartyAccount?: string; endToEndId?: string; references?: Record<string, string> } | undefined;
  const batch = (fields.batch ?? []) as readonly BatchPart[];
  const own = [
    fields.reference,
    fields.bankReference,
    details?.endToEndId,
    ...Object.values(details?.references ?? {}),
  ];
  const counterparty = details?.counterpartyAccount;
  return {
    id: `line_${line.id}`,
    type: 'statement.line',
    version: 1,
    createdAt: `${line.statementDate}T00:00:00.000Z`,
    subject: `line/${line.id}`,
    sequence: 1,
    tokens: [],
    data: {
      lineId: line.id,
      profile: line.profile,
      account: hash('account', fields.account),
      amount: line.amount.toString(),
      currency: line.currency,
      valueDate: line.valueDate,
      ...(entryDate !== undefined && { entryDate }),
      reversal: line.reversal,
      references: hashesOf(own, hash),
      words: hashesOf(wordsOf(fields.text), hash),
      ...(counterparty !== undefined && { counterparty: hash('reference', counterparty.trim()) }),
      ...(transactionCode !== undefined && { transactionCode }),
      ...(batch.length > 0 && { parts: batch.map((part) => partOf(part, hash)) }),
    },
  };
}

interface BatchPart {
  readonly amount: string;
  readonly reference: string;
  readonly bankReference: string;
  readonly details?: { readonly endToEndId?: string; readonly references?: Readonly<Record<string, string>> };
}

function partOf(
  { amount, reference, bankReference, details }: BatchPart,
  hash: Hash,
): { amount: string; references: string[] } {
  const own = [reference, bankReference, details?.endToEndId, ...Object.values(details?.references ?? {})];
  return { amount: amount, references: hashesOf(own, hash) };
}

const NO_REFERENCE = /^(?:NONREF|NOTPROVIDED|NOT PROVIDED|)$/i;

function hashesOf(texts: readonly (string | undefined)[], hash: Hash): string[] {
  const wanted = texts.flatMap((text) => (text === undefined || NO_REFERENCE.test(text.trim()) ? [] : [text.trim()]));
  return [...new Set(wanted)].map((text) => hash('reference', text));
}

/** Words that may be references: six characters at least, a digit among them. A wrapped line may have cut one in two. */
const WORDS_MAX = 64;
function wordsOf(text: string): string[] {
  const words = [text, text.replaceAll('\n', '')].flatMap((one) => one.split(/[^A-Za-z0-9_.-]+/));
  const plain = words.map((word) => word.replace(/^[.-]+|[.-]+$/g, ''));
  return [...new Set(plain)]
    .filter((word) => word.length >= 6 && word.length <= 64 && /[0-9]/.test(word))
    .slice(0, WORDS_MAX);
}
