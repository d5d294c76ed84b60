import {
  type PaymentStatus,
  type StatusReportPart,
  type StatusReportReader,
  StatementUnreadableError,
} from '../../statements/index.ts';
import type { BankPaymentStatus } from '../bank-connector.ts';
import { type FileFindings, type FoundProblem, KEPT_MAX } from './file-findings.ts';

/** What a bank's report says of one payment, or of all that go by one name. */
export interface ReportedStatus {
  /** What the payment may be called here: `OrgnlEndToEndId`, `InstrId`; of all of a payout `OrgnlPmtInfId`, `OrgnlMsgId`. */
  readonly references: readonly string[];
  readonly status: BankPaymentStatus;
  /** It is of all that goes by the name, save these: the same report says something narrower of them. */
  readonly exceptFor?: ReadonlySet<string>;
}

/** Takes a status to the payment that it is of. False: there is no such payment here, or it is not known of yet. */
export type StatusSink = (profile: string, reported: ReportedStatus) => Promise<boolean>;

/** The parts of a report, as its bytes come. @throws StatementUnreadableError; whatever `bytes` throws */
async function* reportParts(
  bytes: AsyncIterable<Uint8Array>,
  reader: StatusReportReader,
): AsyncGenerator<readonly StatusReportPart[]> {
  for await (const some of bytes) yield reader.push(some);
  yield reader.end();
}

/** Reads a report to its end and says what is in it, before any of its statuses counts. */
export async function examineReport(
  bytes: AsyncIterable<Uint8Array>,
  reader: StatusReportReader,
): Promise<FileFindings> {
  const problems: FoundProblem[] = [];
  let [statuses, problemsCount] = [0, 0];
  const found = (): FileFindings => {
    const rest = { statements: 0, lines: 0, balances: [] };
    return { formats: ['pain.002'], ...rest, problems, problemsCount, statuses };
  };
  try {
    for await (const parts of reportParts(bytes, reader)) {
      for (const part of parts) {
        if (part.part === 'status') statuses += 1;
        if (part.part !== 'problem') continue;
        const { code, message, at } = part.problem;
        problemsCount += 1;
        if (problems.length < KEPT_MAX) problems.push({ code, message, ...at });
      }
    }
  } catch (error) {
    if (!(error instanceof StatementUnreadableError)) throw error;
    return { ...found(), unreadable: { code: error.code, message: error.message, ...error.at } };
  }
  return found();
}

/**
 * Takes what a report says to the payments that it is of: of single ones as it comes, of a payment information or a whole
 * message at the report's end, when it is known which payments it lists by themselves. Saying it twice changes nothing, so
 * it is done again as a whole where it broke off.
 *
 * @returns how many of the statuses name no payment that is known here
 */
export async function applyReport(
  bytes: AsyncIterable<Uint8Array>,
  reader: StatusReportReader,
  take: (reported: ReportedStatus) => Promise<boolean>,
): Promise<number> {
  let unknown = 0;
  const listed = new Set<string>();
  const wider: PaymentStatus[] = [];
  for await (const parts of reportParts(bytes, reader)) {
    for (const part of parts) {
      if (part.part !== 'status') continue;
      if (part.status.level !== 'transaction') {
        wider.push(part.status);
        continue;
      }
      for (const reference of referencesOf(part.status)) listed.add(reference);
      const reported = reportedOf(part.status);
      if (reported !== undefined && !(await take(reported))) unknown += 1;
    }
  }
  for (const reported of widerReported(wider, listed)) {
    if (await take(reported)) continue;
    // That all is on its way adds nothing where each is listed: many banks name a message of their own there.
    if (reported.status.status !== 'pending' || listed.size === 0) unknown += 1;
  }
  return unknown;
}

/** Of payment informations first: what one of them says goes before what is said of the message. */
function widerReported(said: readonly PaymentStatus[], listed: ReadonlySet<string>): ReportedStatus[] {
  const narrower = new Set(listed);
  const reported = (one: PaymentStatus, reference: string | undefined, exceptFor: ReadonlySet<string>) => {
    const status = reference === undefined ? undefined : statusOf(one, reference);
    return reference === undefined || status === undefined ? [] : [{ references: [reference], status, exceptFor }];
  };
  const payments = said.filter(({ level }) => level === 'payment');
  const ofPayments = payments.flatMap((one) => reported(one, one.pmtInfId, listed));
  for (const { pmtInfId } of payments) if (pmtInfId !== undefined) narrower.add(pmtInfId);
  const ofMessages = said
    .filter(({ level }) => level === 'group')
    .flatMap((one) => reported(one, one.orgnlMsgId, narrower));
  return [...ofPayments, ...ofMessages];
}

/**
 * Undefined for what says nothing of one payment: a status that names none, and one that is only on its way. A rejection is a
 * hint as in a provider's callback: it is asked for.
 */
function reportedOf(said: PaymentStatus): ReportedStatus | undefined {
  const references = referencesOf(said);
  const providerRef = said.bankReference ?? references[0];
  if (providerRef === undefined) return undefined;
  const status = statusOf(said, providerRef);
  return status && { references, status };
}

/** `NOTPROVIDED` is what a bank writes where there is none. */
function referencesOf({ endToEndId, instrId }: PaymentStatus): string[] {
  return [endToEndId, instrId].filter((one) => one !== undefined && one !== 'NOTPROVIDED') as string[];
}

function statusOf({ outcome, reasonCode, status }: PaymentStatus, providerRef: string): BankPaymentStatus | undefined {
  switch (outcome) {
    case 'accepted':
      return { status: 'pending', providerRef };
    case 'settled':
      // That our account was debited, or theirs credited: whether it is settled between us, the statement says.
      return { status: 'confirmed', providerRef };
    case 'refused':
      return { status: 'refused', code: reasonCode ?? status, elsewhere: false, providerRef };
    case 'pending':
      return undefined;
  }
}
