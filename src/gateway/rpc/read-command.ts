import type {
  CaptureRequest,
  KoraRequest,
  OpenAccountRequest,
  CreatePayoutRequest,
  PayRequest,
  ResolveRequest,
  SettleRequest,
} from '../../actors/requests.ts';
import { kinds, outcomes, reversals, upTos, walletTypes } from './enums.ts';
import type { FieldReader } from './field-reader.ts';
import { type Command, PayUpTo } from './gen/kora/v1/payment_pb.js';

/** A command of the wire: one of a batch, or the request message of a single call. */
export type WireCommand = Command['command'] & { readonly case: string };
type CommandCase = WireCommand['case'];
type MessageOf<Case extends CommandCase> = Extract<WireCommand, { case: Case }>['value'];

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };
type Readers = {
  readonly [Case in CommandCase]: (message: MessageOf<Case>, fields: FieldReader) => KoraRequest;
};

/** What each command asks of the runtime. The result is only good when `fields.wrong` is undefined afterwards. */
const readers: Readers = {
  pay: (message, fields) => {
    const request: Writable<PayRequest> = {
      type: 'Pay',
      idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
      kind: fields.oneOf('kind', message.kind, kinds, 'P2P'),
      amount: fields.amount('amount', message.amount),
      currency: fields.currency(message.currency),
      upTo: fields.oneOf('upTo', message.upTo, upTos, 'SETTLED'),
    };
    readParties(request, message, fields);
    if (message.captureAmount !== undefined) {
      request.captureAmount = fields.amount('captureAmount', message.captureAmount);
    }
    if (message.providerFee !== undefined) request.providerFee = fields.amount('providerFee', message.providerFee);
    return request;
  },
  initiate: (message, fields) => {
    const request: Writable<PayRequest> = {
      type: 'Pay',
      idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
      kind: fields.oneOf('kind', message.kind, kinds, 'P2P'),
      amount: fields.amount('amount', message.amount),
      currency: fields.currency(message.currency),
      upTo: 'INITIATED',
    };
    readParties(request, message, fields);
    return request;
  },
  refund: (message, fields) => ({
    type: 'Pay',
    idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
    kind: 'REFUND',
    amount: fields.amount('amount', message.amount),
    currency: fields.currency(message.currency),
    upTo: message.upTo === PayUpTo.UNSPECIFIED ? 'SETTLED' : fields.oneOf('upTo', message.upTo, upTos, 'SETTLED'),
    original: fields.paymentId('original', message.original),
  }),
  authorize: (message, fields) => ({
    type: 'Authorize',
    idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
    paymentId: fields.paymentId('paymentId', message.paymentId),
  }),
  capture: (message, fields) => {
    const request: Writable<CaptureRequest> = {
      type: 'Capture',
      idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
      paymentId: fields.paymentId('paymentId', message.paymentId),
    };
    if (message.amount !== undefined) request.amount = fields.amount('amount', message.amount);
    return request;
  },
  settle: (message, fields) => {
    const request: Writable<SettleRequest> = {
      type: 'Settle',
      idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
      paymentId: fields.paymentId('paymentId', message.paymentId),
    };
    if (message.providerFee !== undefined) request.providerFee = fields.amount('providerFee', message.providerFee);
    return request;
  },
  fail: (message, fields) => ({
    type: 'Fail',
    idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
    paymentId: fields.paymentId('paymentId', message.paymentId),
    reason: fields.reason(message.reason),
  }),
  reverse: (message, fields) => ({
    type: 'Reverse',
    idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
    paymentId: fields.paymentId('paymentId', message.paymentId),
    reason: fields.oneOf('reason', message.reason, reversals, 'requested'),
  }),
  resolve: (message, fields) => {
    const request: Writable<ResolveRequest> = {
      type: 'Resolve',
      idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
      paymentId: fields.paymentId('paymentId', message.paymentId),
      outcome: fields.oneOf('outcome', message.outcome, outcomes, 'refused'),
    };
    if (message.providerFee !== undefined) request.providerFee = fields.amount('providerFee', message.providerFee);
    const { reason, providerRef } = message;
    if (reason !== undefined) request.reason = fields.reason(reason);
    else if (request.outcome === 'refused') fields.fail('reason', 'is missing: say why it was refused');
    if (providerRef !== undefined) request.providerRef = fields.providerRef(providerRef);
    else if (request.outcome !== 'refused') fields.fail('providerRef', 'is missing: say what the provider calls it');
    return request;
  },
  returnPayout: (message, fields) => ({
    type: 'Pay',
    idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
    kind: 'PAYOUT_RETURN',
    amount: fields.amount('amount', message.amount),
    currency: fields.currency(message.currency),
    upTo: 'SETTLED',
    original: fields.paymentId('original', message.original),
  }),
  createPayout: (message, fields) => {
    const request: Writable<CreatePayoutRequest> = {
      type: 'CreatePayout',
      idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
      amount: fields.amount('amount', message.amount),
      currency: fields.currency(message.currency),
      payer: fields.accountId('payer', message.payer),
      provider: fields.provider(message.provider),
      beneficiary: fields.reference('beneficiary', message.beneficiary),
    };
    if (message.rail !== undefined) request.rail = fields.reference('rail', message.rail);
    return request;
  },
  cancelPayout: (message, fields) => ({
    type: 'CancelPayout',
    idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
    payoutId: fields.payoutId(message.payoutId),
    reason: fields.reason(message.reason),
  }),
  openAccount: (message, fields) => {
    const request: Writable<OpenAccountRequest> = {
      type: 'OpenAccount',
      idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
      walletType: fields.oneOf('walletType', message.walletType, walletTypes, 'customer'),
      currency: fields.currency(message.currency),
    };
    if (message.accountId !== undefined) request.accountId = fields.accountId('accountId', message.accountId);
    if (message.limit !== undefined) request.limit = fields.amount('limit', message.limit);
    if (message.feeBps !== undefined) request.feeBps = message.feeBps;
    if (message.owner !== undefined) request.owner = fields.owner(message.owner);
    return request;
  },
  freezeAccount: (message, fields) => ({
    type: 'FreezeAccount',
    ...reasoned(message, fields),
  }),
  unfreezeAccount: (message, fields) => ({
    type: 'UnfreezeAccount',
    ...reasoned(message, fields),
  }),
  closeAccount: (message, fields) => ({
    type: 'CloseAccount',
    ...reasoned(message, fields),
  }),
  setLimit: (message, fields) => ({
    type: 'SetLimit',
    ...reasoned(message, fields),
    limit: fields.amount('limit', message.limit),
  }),
};

function readParties(
  request: Writable<PayRequest>,
  message: MessageOf<'pay'> | MessageOf<'initiate'>,
  fields: FieldReader,
): void {
  if (message.payer !== undefined) request.payer = fields.accountId('payer', message.payer);
  if (message.payee !== undefined) request.payee = fields.accountId('payee', message.payee);
  if (message.provider !== undefined) request.provider = fields.provider(message.provider);
  if (message.beneficiary !== undefined) request.beneficiary = fields.reference('beneficiary', message.beneficiary);
  if (message.rail !== undefined) request.rail = fields.reference('rail', message.rail);
  if (message.original !== undefined) request.original = fields.paymentId('original', message.original);
}

function reasoned(
  message: MessageOf<'freezeAccount' | 'unfreezeAccount' | 'closeAccount' | 'setLimit'>,
  fields: FieldReader,
): { readonly idempotencyKey: string; readonly accountId: string; readonly reason: string } {
  return {
    idempotencyKey: fields.idempotencyKey(message.idempotencyKey),
    accountId: fields.accountId('accountId', message.accountId),
    reason: fields.reason(message.reason),
  };
}

/**
 * Reads any command of the wire. Fields that this version does not know are refused, not skipped: a command is carried
 * out as it was meant or not at all.
 */
export function readCommand(command: WireCommand, fields: FieldReader): KoraRequest {
  const { $unknown: unknown } = command.value;
  if (unknown !== undefined) {
    fields.fail(`field ${unknown[0]?.no ?? 0}`, 'is not known to this version of Kora: leave it out, or update Kora');
  }
  const read = readers[command.case] as (message: WireCommand['value'], fields: FieldReader) => KoraRequest;
  return read(command.value, fields);
}
