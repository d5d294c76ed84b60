import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import type { Refusal } from '../../kernel/refusal.ts';
import { executeBatch } from './batch.ts';
import { callerOf } from './call.ts';
import { refusalError } from './errors.ts';
import { answered, type DoorParts, executeOne } from './execute.ts';
import { FieldReader } from './field-reader.ts';
import { type Account, AccountService } from './gen/kora/v1/account_pb.js';
import { type Payment, PaymentService } from './gen/kora/v1/payment_pb.js';
import { type Payout, PayoutService } from './gen/kora/v1/payout_pb.js';
import type { WireCommand } from './read-command.ts';
import { wireAccount, wirePayment, wirePayout } from './wire-views.ts';

/** The methods of `proto/kora/v1`, over the runtime. */
export function rpcRoutes(parts: DoorParts): (router: ConnectRouter) => void {
  const onPayment = async (command: WireCommand, context: HandlerContext): Promise<PaymentAnswer> => {
    const { payment, position = 0, duplicate } = await executeOne(command, context, parts);
    return {
      position: BigInt(position),
      duplicate,
      ...(payment !== undefined && { payment: wirePayment(payment, 'with failure') }),
    };
  };
  const onAccount = async (command: WireCommand, context: HandlerContext): Promise<AccountAnswer> => {
    const { account, position = 0, duplicate } = await executeOne(command, context, parts);
    return {
      position: BigInt(position),
      duplicate,
      ...(account !== undefined && { account: wireAccount(account) }),
    };
  };
  const onPayout = async (command: WireCommand, context: HandlerContext): Promise<PayoutAnswer> => {
    const { payout, position = 0, duplicate } = await executeOne(command, context, parts);
    return {
      position: BigInt(position),
      duplicate,
      ...(payout !== undefined && { payout: wirePayout(payout, 'with failure') }),
    };
  };
  return (router) => {
    router.service(PaymentService, {
      pay: (value, context) => onPayment({ case: 'pay', value }, context),
      initiate: (value, context) => onPayment({ case: 'initiate', value }, context),
      authorize: (value, context) => onPayment({ case: 'authorize', value }, context),
      capture: (value, context) => onPayment({ case: 'capture', value }, context),
      settle: (value, context) => onPayment({ case: 'settle', value }, context),
      fail: (value, context) => onPayment({ case: 'fail', value }, context),
      reverse: (value, context) => onPayment({ case: 'reverse', value }, context),
      refund: (value, context) => onPayment({ case: 'refund', value }, context),
      resolve: (value, context) => onPayment({ case: 'resolve', value }, context),
      returnPayout: (value, context) => onPayment({ case: 'returnPayout', value }, context),
      getPayment: async ({ paymentId }, context) => ({
        payment: wirePayment(
          await found('payment', paymentId, parts, context, (id) => parts.runtime.payment(id)),
          'with failure',
        ),
      }),
      batch: (request, context) => executeBatch(request, context, parts),
    });
    router.service(PayoutService, {
      createPayout: (value, context) => onPayout({ case: 'createPayout', value }, context),
      cancelPayout: (value, context) => onPayout({ case: 'cancelPayout', value }, context),
      getPayout: async ({ payoutId }, context) => ({
        payout: wirePayout(
          await found('payout', payoutId, parts, context, (id) => parts.runtime.payout(id)),
          'with failure',
        ),
      }),
    });
    router.service(AccountService, {
      openAccount: (value, context) => onAccount({ case: 'openAccount', value }, context),
      freezeAccount: (value, context) => onAccount({ case: 'freezeAccount', value }, context),
      unfreezeAccount: (value, context) => onAccount({ case: 'unfreezeAccount', value }, context),
      closeAccount: (value, context) => onAccount({ case: 'closeAccount', value }, context),
      setLimit: (value, context) => onAccount({ case: 'setLimit', value }, context),
      getAccount: async ({ accountId }, context) => ({
        account: wireAccount(await found('account', accountId, parts, context, (id) => parts.runtime.account(id))),
      }),
    });
  };
}

interface PaymentAnswer {
  readonly payment?: Payment;
  readonly position: bigint;
  readonly duplicate: boolean;
}
interface PayoutAnswer {
  readonly payout?: Payout;
  readonly position: bigint;
  readonly duplicate: boolean;
}
interface AccountAnswer {
  readonly account?: Account;
  readonly position: bigint;
  readonly duplicate: boolean;
}

async function found<View>(
  what: (Refusal & { code: 'NotFound' })['what'],
  id: string,
  parts: DoorParts,
  context: HandlerContext,
  read: (id: string) => Promise<View | undefined>,
): Promise<View> {
  const fields = new FieldReader();
  if (what === 'payment') fields.paymentId('paymentId', id);
  else if (what === 'payout') fields.payoutId(id);
  else fields.accountId('accountId', id);
  if (fields.wrong !== undefined) throw refusalError(fields.wrong);
  const view = await answered(read(id), context, parts, callerOf(context));
  if (view === undefined) throw refusalError({ code: 'NotFound', what, id, message: `there is no ${what} ${id}` });
  return view;
}
