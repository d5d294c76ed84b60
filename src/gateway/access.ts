import type { AccountRequest, PaymentRequest } from '../actors/requests.ts';
import type { PayUpTo } from '../machines/commands.ts';
import type { WalletType } from '../machines/account/account.facts.ts';
import type { PaymentKind } from '../machines/payment/payment.facts.ts';
import { isReconciliationKind, POSTINGS } from '../machines/payment/postings.ts';
import type { PaymentView } from '../machines/payment/view.ts';
import type { Principal, Role } from './principal.ts';
import type { Scope } from './scopes.ts';

/**
 * Who may what, for every door: pure questions with the answer yes or no. What is not said here is not allowed. A door
 * that answers "no" says nothing of whether the thing exists.
 *
 * | who | reads | commands |
 * |---|---|---|
 * | customer | own accounts, payments with an own account | opens own customer wallets; pays from own accounts; takes own P2P payments on, and cancels own payments that have not begun |
 * | merchant | the same | opens own merchant wallets; pays from them; captures, reverses and refunds MERCHANT payments to them |
 * | support, reviewer | everything; statements the reviewer alone | nothing; a reviewer hands in statements, and releases quarantined ones |
 * | admin | everything | opens any account, freezes, unfreezes, closes, sets limits; opens and closes connectors; moves no money |
 * | service | what its scopes say | what its scopes say; it alone pays out, and says that money came or went (CASH_IN, FUNDING, settle, a provider's fee, a return) |
 */

/** Whose the parties of a payment are; undefined where there is no such party, or nobody owns it. */
export interface PartyOwners {
  readonly payer: string | undefined;
  readonly payee: string | undefined;
}

type Owned = { readonly owner?: string | undefined } | undefined;

/** Roles that see everything. */
const readers: readonly Role[] = ['support', 'reviewer', 'admin'];

/** Whether it is a service whose token reaches so far. No scopes at all is everything. */
export function isServiceFor({ roles, scopes }: Principal, scope: Scope): boolean {
  return roles.includes('service') && (scopes === undefined || scopes.includes(scope));
}

/** Accounts of everybody, system accounts included; all payments; the firehose. */
export function mayReadEverything(principal: Principal, scope: Scope): boolean {
  return principal.roles.some((role) => readers.includes(role)) || isServiceFor(principal, scope);
}

/** @param scope what a service needs: of the stream `stream:read` */
export function mayReadAccount(principal: Principal, account: Owned, scope: Scope = 'accounts:read'): boolean {
  return mayReadEverything(principal, scope) || owns(principal, account);
}

/** A payment is seen by both of its parties. */
export function mayReadPayment(principal: Principal, owners: PartyOwners, scope: Scope = 'payments:read'): boolean {
  const { payer, payee } = owners;
  return mayReadEverything(principal, scope) || owns(principal, { owner: payer }) || owns(principal, { owner: payee });
}

/** What a service needs to be told of a kind of event. One that is not here needs a token for everything. */
const hearingScopes: Readonly<Partial<Record<string, Scope>>> = {
  payment: 'payments:read',
  payout: 'payouts:read',
  account: 'accounts:read',
  connector: 'connectors:read',
};

/**
 * Having these kinds of events told to an address of one's own: admins, and services that might read the same.
 *
 * @param kinds `payment`, `payout`, `account`, `connector`: the first part of types of events
 */
export function mayHearOf(principal: Principal, kinds: readonly string[]): boolean {
  if (principal.roles.includes('admin')) return true;
  if (!isServiceFor(principal, 'webhooks:manage')) return false;
  return kinds.every((kind) => {
    const scope = hearingScopes[kind];
    return scope === undefined ? principal.scopes === undefined : isServiceFor(principal, scope);
  });
}

/** Payouts, their slices, and connectors are nobody's own: who sees everything sees them. */
export function mayReadPayouts(principal: Principal, scope: Scope = 'payouts:read'): boolean {
  return mayReadEverything(principal, scope);
}

/** Paying out of a treasury, and calling it off. */
export function mayPayOut(principal: Principal): boolean {
  return isServiceFor(principal, 'payouts:write');
}

export function mayReadConnectors(principal: Principal, scope: Scope = 'connectors:read'): boolean {
  return mayReadEverything(principal, scope);
}

/** What services of ours are fed by: references as hashes, and everybody's payments. */
export function mayReadFeeds(principal: Principal): boolean {
  return isServiceFor(principal, 'feeds:read');
}

/** Asking whose a token is, and whether a device signed a request. */
export function mayVerifyIdentities(principal: Principal): boolean {
  return isServiceFor(principal, 'identity:verify');
}

/** Opening and closing a connector's breaker by hand. */
export function mayOperateConnectors(principal: Principal): boolean {
  return principal.roles.includes('admin') || isServiceFor(principal, 'connectors:operate');
}

/** What banks say holds names and texts of people: it is for those who reconcile. */
export function mayReadStatements({ roles, ...principal }: Principal): boolean {
  return roles.includes('reviewer') || isServiceFor({ roles, ...principal }, 'statements:read');
}

/** Saying what lines of statements are: reconciliation alone. */
export function mayMarkLines(principal: Principal): boolean {
  return isServiceFor(principal, 'ledger:correct');
}

/** Handing in a file of a bank. */
export function mayHandInStatements({ roles, ...principal }: Principal): boolean {
  return roles.includes('reviewer') || isServiceFor({ roles, ...principal }, 'statements:write');
}

/** Letting a file count that failed a check: a person's word, and no service's. */
export function mayReleaseStatements({ roles }: Principal): boolean {
  return roles.includes('reviewer');
}

/** What did not match, and the report of the day. */
export function mayReadCases(principal: Principal): boolean {
  return mayReadEverything(principal, 'cases:read');
}

/** Working on what did not match: assigning, commenting, escalating, resolving. */
export function mayWorkOnCases(principal: Principal): boolean {
  return principal.roles.includes('reviewer') || isServiceFor(principal, 'cases:write');
}

/** Approving what another has proposed about a case: a person's word, and no service's. */
export function mayApproveCases({ roles }: Principal): boolean {
  return roles.includes('reviewer') || roles.includes('admin');
}

/** Whether money may be taken from the account because this principal says so. Admins move no money. */
export function mayDebit(principal: Principal, account: Owned): boolean {
  return isServiceFor(principal, 'payments:write') || owns(principal, account);
}

/** What a person may open: their own wallet of the type of their role, on our terms. */
const walletsOf: Readonly<Partial<Record<Role, WalletType>>> = { customer: 'customer', merchant: 'merchant' };

/** Commands on accounts. */
export function mayOperateAccount(principal: Principal, request: AccountRequest): boolean {
  if (principal.roles.includes('admin') || isServiceFor(principal, 'accounts:write')) return true;
  if (request.type !== 'OpenAccount') return false;
  const { walletType, owner, accountId, limit, feeBps } = request;
  // An id of one's own choice would tell whether it is taken; limits and fees are ours to grant.
  const onOurTerms = accountId === undefined && limit === undefined && feeBps === undefined;
  return onOurTerms && owns(principal, { owner }) && principal.roles.some((role) => walletsOf[role] === walletType);
}

type PayRequest = Extract<PaymentRequest, { type: 'Pay' }>;
type StepRequest = Exclude<PaymentRequest, PayRequest>;

/**
 * How far a person's word takes a payment of the kind at most, when it is made; undefined: not at all. Beyond it lies
 * what somebody else has to say: that a merchant was paid out, that a provider paid cash. A service goes all the way.
 */
export function farthestFor(principal: Principal, kind: PaymentKind): PayUpTo | undefined {
  if (isServiceFor(principal, isReconciliationKind(kind) ? 'ledger:correct' : 'payments:write')) return 'SETTLED';
  if (!isPerson(principal)) return undefined;
  switch (kind) {
    case 'P2P':
      return 'SETTLED';
    case 'MERCHANT':
      return principal.roles.includes('customer') ? 'CAPTURED' : undefined;
    case 'CASH_OUT':
      return 'AUTHORIZED';
    case 'REFUND':
      return principal.roles.includes('merchant') ? 'SETTLED' : undefined;
    case 'CASH_IN':
    case 'FUNDING':
    case 'PAYOUT':
    case 'PAYOUT_RETURN':
    case 'STATEMENT_FEE':
    case 'STATEMENT_INTEREST':
    case 'UNIDENTIFIED_CREDIT':
    case 'UNIDENTIFIED_DEBIT':
    case 'LATE_COLLECTION':
    case 'CORRECTION_CREDIT':
    case 'CORRECTION_DEBIT':
    case 'WRITE_OFF_LOSS':
    case 'WRITE_OFF_GAIN':
      return undefined;
  }
}

const steps: readonly PayUpTo[] = ['INITIATED', 'AUTHORIZED', 'CAPTURED', 'SETTLED'];

/**
 * Making a payment.
 *
 * @param owners of the accounts that the request names; of a REFUND those of the original
 */
export function mayPay(principal: Principal, request: PayRequest, owners: PartyOwners): boolean {
  const { kind, upTo, providerFee, captureAmount } = request;
  // That a provider sent money back is said by those who talk to it, and by nobody else.
  if (kind === 'PAYOUT_RETURN') return isServiceFor(principal, 'payments:settle');
  if (isReconciliationKind(kind)) return isServiceFor(principal, 'ledger:correct');
  if (isServiceFor(principal, 'payments:write')) {
    // Otherwise a Pay would be a way around the scope of Settle.
    return !settlesForProvider(kind, upTo) || isServiceFor(principal, 'payments:settle');
  }
  const farthest = farthestFor(principal, kind);
  if (farthest === undefined || providerFee !== undefined || captureAmount !== undefined) return false;
  if (steps.indexOf(upTo) > steps.indexOf(farthest)) return false;
  // A refund is paid by the merchant that the original was paid to.
  return owns(principal, { owner: kind === 'REFUND' ? owners.payee : owners.payer });
}

/**
 * Taking a payment on, or back. People take on what is theirs alone (P2P), merchants what was authorized for them; whoever
 * pays may call a payment off as long as nothing is held for anybody.
 */
/** Who may have a provider's word taken: reconciliation, and what hears providers. */
export function maySettle(principal: Principal): boolean {
  return isServiceFor(principal, 'payments:settle');
}

export function mayStep(
  principal: Principal,
  request: StepRequest,
  payment: Pick<PaymentView, 'kind' | 'status'>,
  owners: PartyOwners,
): boolean {
  const { kind, status } = payment;
  if (principal.roles.includes('service')) {
    // To say what became of something in doubt is to say that a provider's money moved, or did not.
    const settles =
      request.type === 'Settle' ||
      request.type === 'Resolve' ||
      (request.type === 'Capture' && settlesForProvider(kind, 'CAPTURED'));
    return isServiceFor(principal, settles ? 'payments:settle' : 'payments:write');
  }
  if (!isPerson(principal)) return false;
  const pays = owns(principal, { owner: owners.payer });
  const isPaid =
    owns(principal, { owner: owners.payee }) && principal.roles.includes('merchant') && kind === 'MERCHANT';
  switch (request.type) {
    case 'Authorize':
      return pays;
    case 'Capture':
      return isPaid || (pays && kind === 'P2P');
    case 'Reverse':
      return request.reason === 'requested' && (isPaid || (pays && kind === 'P2P'));
    case 'Fail':
      return pays && (status === 'INITIATED' || (status === 'AUTHORIZED' && kind === 'P2P'));
    case 'Settle':
    case 'Resolve':
      return false;
  }
}

/** Whether a payment of the kind that comes so far says that a provider's money has moved. */
function settlesForProvider(kind: PaymentKind, upTo: PayUpTo): boolean {
  const { provider, settled } = POSTINGS[kind];
  return provider && (upTo === 'SETTLED' || (upTo === 'CAPTURED' && settled === undefined));
}

/** A person with a role that moves their own money. */
function isPerson({ roles }: Principal): boolean {
  return roles.includes('customer') || roles.includes('merchant');
}

function owns(principal: Principal, account: Owned): boolean {
  return isPerson(principal) && account?.owner !== undefined && account.owner === principal.principal;
}
