import { setup } from 'xstate';
import { assignmentsOf, type AtRest, type On } from '../flat-machine.ts';
import type {
  AccountStatus,
  HoldPlaced,
  HoldReleased,
  WalletEntryPosted,
  WalletFact,
  WalletType,
} from './account.facts.ts';

/** The wallet as its last fact left it. Minor units. Its status is the machine's state. */
export interface WalletContext {
  readonly accountId: string;
  /** How many facts the wallet has. */
  readonly version: number;
  readonly type: WalletType;
  readonly currency: string;
  readonly posted: bigint;
  readonly held: bigint;
  readonly limit: bigint;
  readonly feeBps: number | undefined;
  /** `user:<id>`; undefined for a wallet that is nobody's, and for those opened before wallets had owners. */
  readonly owner: string | undefined;
}

/** A wallet at rest: plain data, no live actor. */
export interface WalletSnapshot {
  readonly value: AccountStatus;
  readonly context: WalletContext;
}

/** The state before the first fact. It is never seen outside: `evolveWallet` starts from it. */
export function unopenedWallet(accountId: string): AtRest<WalletContext> {
  return { value: 'NEW', context: { ...unopened, accountId } };
}
const unopened: WalletContext = {
  accountId: '',
  version: 0,
  type: 'customer',
  currency: '',
  posted: 0n,
  held: 0n,
  limit: 0n,
  feeBps: undefined,
  owner: undefined,
};

/** posted − held + limit: what a debit or a hold may take. Negative after a forced entry. */
export function available(wallet: WalletContext): bigint {
  return wallet.posted - wallet.held + wallet.limit;
}

type Given<Fact> = On<WalletContext, Fact>;
type AnyFact = Given<WalletFact>;

/** What a fact adds to the figures; everything else must be after it as it was before. */
interface Moved {
  readonly posted?: bigint;
  readonly held?: bigint;
  readonly limit?: bigint;
}

/**
 * A fact carries the wallet after it, so that a wallet is woken from its last fact alone. That is safe only if no fact
 * can carry figures which do not follow from the ones before: every guard below ends in this comparison.
 */
function follows(status: AccountStatus, { context, event: { after } }: AnyFact, moved: Moved): boolean {
  return (
    after.status === status &&
    after.type === context.type &&
    after.currency === context.currency &&
    after.feeBps === context.feeBps &&
    after.owner === context.owner &&
    BigInt(after.posted) === context.posted + (moved.posted ?? 0n) &&
    BigInt(after.held) === context.held + (moved.held ?? 0n) &&
    BigInt(after.limit) === context.limit + (moved.limit ?? 0n)
  );
}

const startsEmpty = ({ event: { after } }: AnyFact): boolean =>
  after.status === 'OPEN' && after.posted === '0' && after.held === '0' && BigInt(after.limit) >= 0n;

const unchangedBut = (status: AccountStatus) => (args: AnyFact) => follows(status, args, {});

const isEmpty = (args: AnyFact): boolean =>
  args.context.posted === 0n && args.context.held === 0n && follows('CLOSED', args, {});

/** What the wallet already uses of its limit cannot be taken off it. */
const limitStillCovers = (status: AccountStatus) => (args: AnyFact) => {
  const limit = BigInt(args.event.after.limit);
  const raised = limit - args.context.limit;
  return (
    limit >= 0n && (raised >= 0n || available(args.context) + raised >= 0n) && follows(status, args, { limit: raised })
  );
};

/** A hold may only take what is available. */
const covered = (args: Given<HoldPlaced>): boolean => {
  const amount = BigInt(args.event.amount);
  return amount > 0n && amount <= available(args.context) && follows('OPEN', args, { held: amount });
};

const releases = (status: AccountStatus) => (args: Given<HoldReleased>) => {
  const amount = BigInt(args.event.amount);
  return amount > 0n && amount <= args.context.held && follows(status, args, { held: -amount });
};

/**
 * A debit must be covered: by the hold that it consumes (even when a forced entry has taken the rest below the limit),
 * or by what is available beside that hold. Credits and forced entries need no cover; FROZEN takes only them.
 */
const coveredEntry = (status: AccountStatus) => (args: Given<WalletEntryPosted>) => {
  const { context, event } = args;
  const posted = BigInt(event.amount);
  const released = event.released === undefined ? 0n : BigInt(event.released);
  if (posted === 0n || released < 0n || released > context.held || event.currency !== context.currency) return false;
  const free = posted > 0n || event.forced === true;
  const isCovered = status === 'OPEN' && (-posted <= released || -posted <= available(context) + released);
  return (free || isCovered) && follows(status, args, { posted, held: -released });
};

/** The figures are taken from the fact as they are; the guards have checked them. */
const after = assignmentsOf<WalletContext, WalletFact>()(({ context, event }: AnyFact) => ({
  accountId: context.accountId,
  version: context.version + 1,
  ...figuresOf(event),
}));

function figuresOf({ after }: WalletFact): Omit<WalletContext, 'accountId' | 'version'> {
  return {
    type: after.type,
    currency: after.currency,
    posted: BigInt(after.posted),
    held: BigInt(after.held),
    limit: BigInt(after.limit),
    feeBps: after.feeBps,
    owner: after.owner,
  };
}

const COVERED =
  'it is a credit, is forced, or is covered: by the hold that it consumes, or by what is available beside it';
const HELD = 'at least that much is held';
const LIMITED = 'what is used of the limit is not taken off it';
const EMPTY = 'posted and held are 0';

export const accountMachine = setup({
  types: { context: {} as WalletContext, events: {} as WalletFact },
}).createMachine({
  id: 'account',
  context: unopened,
  initial: 'NEW',
  states: {
    NEW: {
      on: {
        AccountOpened: { description: 'it starts empty', target: 'OPEN', guard: startsEmpty, actions: after },
      },
    },
    OPEN: {
      on: {
        EntryPosted: { description: COVERED, guard: coveredEntry('OPEN'), actions: after },
        HoldPlaced: { description: 'it is at most what is available', guard: covered, actions: after },
        HoldReleased: { description: HELD, guard: releases('OPEN'), actions: after },
        PaymentRefused: { guard: unchangedBut('OPEN'), actions: after },
        AccountLimitSet: { description: LIMITED, guard: limitStillCovers('OPEN'), actions: after },
        AccountFrozen: { target: 'FROZEN', guard: unchangedBut('FROZEN'), actions: after },
        AccountClosed: { description: EMPTY, target: 'CLOSED', guard: isEmpty, actions: after },
      },
    },
    // No debit and no hold, but credits, releases and forced entries (proven outcomes).
    FROZEN: {
      on: {
        EntryPosted: { description: 'it is a credit, or forced', guard: coveredEntry('FROZEN'), actions: after },
        HoldReleased: { description: HELD, guard: releases('FROZEN'), actions: after },
        PaymentRefused: { guard: unchangedBut('FROZEN'), actions: after },
        AccountLimitSet: { description: LIMITED, guard: limitStillCovers('FROZEN'), actions: after },
        AccountUnfrozen: { target: 'OPEN', guard: unchangedBut('OPEN'), actions: after },
        AccountClosed: { description: EMPTY, target: 'CLOSED', guard: isEmpty, actions: after },
      },
    },
    // A refusal still rests on it; money never reaches it again (a late credit goes to suspense).
    CLOSED: {
      on: { PaymentRefused: { guard: unchangedBut('CLOSED'), actions: after } },
    },
  },
});

/** Wakes a wallet from its last fact alone; `version` is that fact's. */
export function walletFromFact(fact: WalletFact, version: number, accountId: string): WalletSnapshot {
  return { value: fact.after.status, context: { accountId, version, ...figuresOf(fact) } };
}
