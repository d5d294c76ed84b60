/** What a status comes to for the payment that it is of. */
export type StatusOutcome = 'accepted' | 'settled' | 'refused' | 'pending';

/** One status of a pain.002, of the level that it was said at. */
export interface PaymentStatus {
  /**
   * A status of the group counts for every payment of the message, one of a payment for every transaction in it, unless
   * something narrower says otherwise in the same report.
   */
  readonly level: 'group' | 'payment' | 'transaction';
  /** `OrgnlMsgId`: the MsgId of the pain.001 that is answered; undefined where the bank could not even read that. */
  readonly orgnlMsgId?: string;
  readonly pmtInfId?: string;
  readonly endToEndId?: string;
  readonly instrId?: string;
  /** The bank's own reference: `AcctSvcrRef`, else `ClrSysRef`. */
  readonly bankReference?: string;
  /** As sent: `ACCP`, `RJCT`, `PART` …. */
  readonly status: string;
  readonly outcome: StatusOutcome;
  /** The first reason's code: `AC04`, `NARR`, or the bank's own. */
  readonly reasonCode?: string;
  /** What else the bank says of it, one line each. May name people: not for logs. */
  readonly reasonText?: string;
  readonly at: { readonly line: number };
}

/** The external status codes of ISO 20022 (ExternalPaymentTransactionStatus1Code and its group and payment kin). */
const OUTCOMES: Readonly<Record<string, StatusOutcome>> = {
  ACTC: 'accepted',
  ACCP: 'accepted',
  ACSP: 'accepted',
  ACWC: 'accepted',
  ACWP: 'accepted',
  ACFC: 'accepted',
  ACIS: 'accepted',
  ACPD: 'accepted',
  ACSC: 'settled',
  ACCC: 'settled',
  RJCT: 'refused',
  CANC: 'refused',
  PDNG: 'pending',
  RCVD: 'pending',
  RCVC: 'pending',
  PATC: 'pending',
  PRES: 'pending',
  BLCK: 'pending',
  // Some of it is accepted and some is not yet: it says nothing of a transaction that is not listed.
  PART: 'pending',
};

/** Undefined for a code that is not known: nothing may be concluded from it. */
export function outcomeOf(status: string): StatusOutcome | undefined {
  return Object.hasOwn(OUTCOMES, status) ? OUTCOMES[status] : undefined;
}

/** Which payment a status is looked for. */
export interface PaymentReferences {
  readonly msgId: string;
  readonly pmtInfId?: string;
  readonly endToEndId?: string;
  readonly instrId?: string;
}

/**
 * The status that counts for one payment of ours: of its transaction where it is listed, else of its payment
 * information, else of the group. References are compared as sent. Undefined where the report does not speak of it.
 */
export function statusFor(
  statuses: readonly PaymentStatus[],
  { msgId, pmtInfId, endToEndId, instrId }: PaymentReferences,
): PaymentStatus | undefined {
  const ofMessage = statuses.filter((one) => one.orgnlMsgId === msgId);
  const inBatch = ofMessage.filter(
    (one) => one.pmtInfId === undefined || pmtInfId === undefined || one.pmtInfId === pmtInfId,
  );
  const names = (one: PaymentStatus): boolean => {
    if (one.instrId !== undefined && instrId !== undefined && one.instrId !== instrId) return false;
    if (one.endToEndId !== undefined && endToEndId !== undefined) return one.endToEndId === endToEndId;
    return one.instrId !== undefined && one.instrId === instrId;
  };
  return (
    inBatch.findLast((one) => one.level === 'transaction' && names(one)) ??
    inBatch.findLast((one) => one.level === 'payment' && one.pmtInfId !== undefined && one.pmtInfId === pmtInfId) ??
    inBatch.findLast((one) => one.level === 'group')
  );
}
