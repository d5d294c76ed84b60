import { exponentOf } from '../../kernel/currencies.ts';
import { isAccountId, isOwner } from '../../kernel/ids.ts';
import { AMOUNT_MAX, formatMinor } from '../../kernel/money.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import type { AccountCommand, CloseAccount, OpenAccount, SetLimit } from '../commands.ts';
import type { Decision, World } from '../decision.ts';
import { takes } from '../flat-machine.ts';
import { refuseReason } from '../reason.ts';
import {
  accountExists,
  accountNotEmpty,
  idempotencyConflict,
  illegalTransition,
  insufficientFunds,
  invalid,
  notFound,
} from '../refusals.ts';
import { answerToUsedKey } from '../payment/key.ts';
import { refused, Unit } from '../unit.ts';
import type { WalletFact } from './account.facts.ts';
import { accountMachine, available, type WalletSnapshot } from './account.machine.ts';
import { figuresAfter } from './moves.ts';

/**
 * A command on an account leaves one fact on it, and opens `request/<command id>`: an account cannot remember every
 * command for ever, as a payment does. A refused one leaves nothing.
 */
export function decideAccount(command: AccountCommand, world: World): Decision {
  const request = world.request(command.commandId);
  if (request?.type === 'RequestHandled' && request.accountId === command.accountId) {
    return request.fingerprint === command.fingerprint
      ? { outcome: 'duplicate-request', request }
      : refused(idempotencyConflict(command.commandId));
  }
  const used = answerToUsedKey(command, world);
  if (used !== undefined) return used;
  const fact = factOf(command, world.wallet(command.accountId));
  if ('code' in fact) return refused(fact);

  const unit = new Unit(world);
  const { context } = unit.walletFact(command.accountId, fact);
  const { fingerprint, accountId } = command;
  unit.request(command.commandId, {
    type: 'RequestHandled',
    fingerprint,
    accountId,
    version: context.version,
    after: fact.after,
  });
  return unit.decided();
}

function factOf(command: AccountCommand, wallet: WalletSnapshot | undefined): WalletFact | Refusal {
  if (command.type === 'OpenAccount') return opened(command, wallet);
  const refusal = refuseReason(command.reason);
  if (refusal !== undefined) return refusal;
  if (wallet === undefined) return notFound('account', command.accountId);
  const illegal = refuseIllegal(command.type, wallet);
  if (illegal !== undefined) return illegal;
  const { reason } = command;
  switch (command.type) {
    case 'FreezeAccount':
      return { type: 'AccountFrozen', reason, after: figuresAfter(wallet, { status: 'FROZEN' }) };
    case 'UnfreezeAccount':
      return { type: 'AccountUnfrozen', reason, after: figuresAfter(wallet, { status: 'OPEN' }) };
    case 'CloseAccount':
      return (
        refuseClose(command, wallet) ?? {
          type: 'AccountClosed',
          reason,
          after: figuresAfter(wallet, { status: 'CLOSED' }),
        }
      );
    case 'SetLimit':
      return (
        refuseLimit(command, wallet) ?? {
          type: 'AccountLimitSet',
          reason,
          after: figuresAfter(wallet, { limit: command.limit }),
        }
      );
  }
}

function opened(command: OpenAccount, wallet: WalletSnapshot | undefined): WalletFact | Refusal {
  const { accountId, walletType: type, currency, limit = 0n, feeBps, owner } = command;
  if (!isAccountId(accountId)) return invalid('accountId', 'an account id is 1 to 64 of A–Z a–z 0–9 _ . -');
  if (exponentOf(currency) === undefined) return invalid('currency', `no currency of ISO 4217: ${currency}`);
  if (!isLimit(limit)) return invalid('limit', 'a limit is 0 or more');
  if (feeBps !== undefined && type !== 'merchant') return invalid('feeBps', 'only merchants pay a fee');
  if (feeBps !== undefined && !isFee(feeBps)) return invalid('feeBps', 'a fee is 0 to 10000 basis points');
  if (owner !== undefined && !isOwner(owner)) return invalid('owner', 'an owner is user:<id>');
  if (wallet !== undefined) return accountExists(accountId);
  const after = {
    type,
    currency,
    status: 'OPEN',
    posted: '0',
    held: '0',
    limit: formatMinor(limit),
    // Every merchant has a fee, even if it is nothing: the payment takes over what the account says.
    ...(type === 'merchant' && { feeBps: feeBps ?? 0 }),
    ...(owner !== undefined && { owner }),
  } as const;
  return { type: 'AccountOpened', after };
}

const isLimit = (limit: bigint): boolean => limit >= 0n && limit <= AMOUNT_MAX;
const isFee = (feeBps: number): boolean => Number.isInteger(feeBps) && feeBps >= 0 && feeBps <= 10_000;

function refuseClose(command: CloseAccount, { context }: WalletSnapshot): Refusal | undefined {
  const { openPayments } = command;
  if (context.posted === 0n && context.held === 0n && openPayments === 0) return undefined;
  const { accountId } = context;
  return accountNotEmpty({
    accountId,
    posted: formatMinor(context.posted),
    held: formatMinor(context.held),
    openPayments,
  });
}

/** A limit may not be lowered below what is used of it: what goes off it must be available. */
function refuseLimit({ limit }: SetLimit, { context }: WalletSnapshot): Refusal | undefined {
  if (!isLimit(limit)) return invalid('limit', 'a limit is 0 or more');
  const lowered = context.limit - limit;
  const free = available(context);
  if (lowered <= 0n || free >= lowered) return undefined;
  return insufficientFunds(context.accountId, formatMinor(free), formatMinor(lowered));
}

/** What may be asked of a wallet, by the fact that it leads to. The machine says which facts a state takes. */
const FACT_OF = {
  FreezeAccount: 'AccountFrozen',
  UnfreezeAccount: 'AccountUnfrozen',
  CloseAccount: 'AccountClosed',
  SetLimit: 'AccountLimitSet',
} as const;
type OnExisting = keyof typeof FACT_OF;

function refuseIllegal(command: OnExisting, { value }: WalletSnapshot): Refusal | undefined {
  if (takes(accountMachine, value, FACT_OF[command])) return undefined;
  const allowed = (Object.keys(FACT_OF) as OnExisting[]).filter((other) =>
    takes(accountMachine, value, FACT_OF[other]),
  );
  return illegalTransition(value, command, allowed);
}
