import type { KoraRequest } from '../../actors/requests.ts';
import { isReconciliationKind } from '../../machines/payment/postings.ts';
import { mayPay } from '../access.ts';
import type { Principal } from '../principal.ts';
import type { Scope } from '../scopes.ts';
import type { AccountService } from './gen/kora/v1/account_pb.js';
import type { PaymentService } from './gen/kora/v1/payment_pb.js';
import type { PayoutService } from './gen/kora/v1/payout_pb.js';
import type { WireCommand } from './read-command.ts';

/** The methods of our services, by the names that generated code gives them. A single call's command has its method's name. */
type OurMethod =
  | keyof (typeof PaymentService)['method']
  | keyof (typeof AccountService)['method']
  | keyof (typeof PayoutService)['method'];

/**
 * The scope that each method needs of a token; one of them, where there are several. A method of `proto/kora/v1` that is
 * missing here does not compile. `each command`: a batch needs what its commands need.
 */
const methodScopes = {
  // Which of them, its kind says.
  pay: ['payments:write', 'ledger:correct'],
  initiate: ['payments:write', 'ledger:correct'],
  authorize: ['payments:write'],
  capture: ['payments:write'],
  settle: ['payments:settle'],
  // A provider's "no" is told by who would tell its "yes".
  fail: ['payments:write', 'payments:settle'],
  reverse: ['payments:write'],
  refund: ['payments:write'],
  resolve: ['payments:settle'],
  returnPayout: ['payments:settle'],
  getPayment: ['payments:read'],
  createPayout: ['payouts:write'],
  cancelPayout: ['payouts:write'],
  getPayout: ['payouts:read'],
  batch: 'each command',
  openAccount: ['accounts:write'],
  freezeAccount: ['accounts:write'],
  unfreezeAccount: ['accounts:write'],
  closeAccount: ['accounts:write'],
  setLimit: ['accounts:write'],
  getAccount: ['accounts:read'],
} as const satisfies Readonly<Record<OurMethod, readonly Scope[] | 'each command'>>;

/** What the gate asks of a token before the message is read: one of these; undefined where only the message says it. */
export function scopesOfMethod(localName: string): readonly Scope[] | undefined {
  const scopes = methodScopes[localName as OurMethod];
  return scopes === 'each command' ? undefined : scopes;
}

/** What a service's token lacks to carry out a command, whether it comes alone or in a batch; undefined: nothing. */
export function missingScope(
  principal: Principal,
  command: WireCommand['case'],
  request: KoraRequest,
): readonly Scope[] | undefined {
  const needed: readonly Scope[] = methodScopes[command];
  if (!hasOneOf(principal, needed)) return needed;
  // Otherwise Pay would be a way around the scope of Settle. Owners are nothing to a service.
  const nobody = { payer: undefined, payee: undefined };
  if (request.type !== 'Pay' || mayPay(principal, request, nobody)) return undefined;
  if (isReconciliationKind(request.kind)) return ['ledger:correct'];
  return hasOneOf(principal, ['payments:write']) ? ['payments:settle'] : ['payments:write'];
}

export function hasOneOf({ scopes }: Principal, needed: readonly Scope[]): boolean {
  return scopes === undefined || needed.some((scope) => scopes.includes(scope));
}
