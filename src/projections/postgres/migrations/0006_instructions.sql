-- Instructions, and payouts. On a new database there is nothing to do but the view. The row of the checkpoint is locked
-- first, as the projector does.
do $$
declare
  live integer;
begin
  -- Payments, version 2: of which payout it is a slice, whom the provider pays, and by which rail. No payment had any of
  -- it before, so the rows are what a rebuild would make of them.
  select table_version into live from projections.checkpoints
  where projection = 'payments' and code_version = 1 for update;
  if found then
    execute format('alter table projections.%I add column payout text, add column beneficiary text, add column rail text',
      'payments_v' || live);
    drop view projections.payments;
    execute format('create view projections.payments as
      select id, kind, status, amount, currency, payer, payee, provider, original, payout, beneficiary, rail,
        is_authorized, held, captured, refunded, fee, provider_fee, reason, expires_at, settles_at, version, created_at,
        created_effective_at, updated_at, updated_effective_at, position,
        case when is_authorized then amount else 0 end as authorized
      from projections.%I', 'payments_v' || live);
    update projections.checkpoints set code_version = 2 where projection = 'payments';
  end if;
end $$;

-- The timeline, with what a provider is told and says.
create or replace view projections.payment_timeline as
select
  split_part(l.stream, '/', 2) as payment_id,
  l.version + e.number - 1 as version,
  e.event ->> 'type' as fact,
  case e.event ->> 'type'
    when 'PaymentInitiated' then 'INITIATED'
    when 'PaymentAuthorized' then 'AUTHORIZED'
    when 'PaymentCaptured' then 'CAPTURED'
    when 'PaymentSettled' then 'SETTLED'
    when 'PaymentFailed' then 'FAILED'
    when 'PaymentReversed' then 'REVERSED'
    -- Refunds are recorded on the settled original.
    when 'RefundReserved' then 'SETTLED'
    when 'RefundReleased' then 'SETTLED'
    when 'RefundRefused' then 'SETTLED'
    -- What a provider is told, and says. Those that leave the payment where it is, wherever that is, say nothing: whoever
    -- reads a timeline carries the state on (src/projections/ledger-queries.ts).
    when 'InstructionIssued' then 'AUTHORIZED'
    when 'InstructionNotSent' then 'AUTHORIZED'
    when 'SettlementOverdue' then 'CAPTURED'
    when 'ProviderFeeCorrected' then 'SETTLED'
  end as state,
  (u.meta ->> 'at')::timestamptz as at,
  u.recorded_at,
  coalesce(u.meta ->> 'effectiveAt', u.meta ->> 'at')::timestamptz as effective_at,
  u.meta ->> 'principal' as principal,
  u.meta ->> 'correlationId' as correlation_id,
  l.position + e.number - 1 as position,
  e.event -> 'data' as data,
  l.unit,
  l.stream,
  l.position as row_position,
  l.version as row_version,
  (e.event ->> 'schema')::integer as schema,
  -- Of a failure: whose word the reason is.
  case when e.event ->> 'type' = 'PaymentFailed' then
    coalesce(
      e.event #>> '{data,cause}',
      case when e.event #> '{data,details}' is null then 'requested' else 'refused' end
    )
  end as cause
from eventstore.log l
join eventstore.log u on u.position = l.unit
cross join lateral json_array_elements(l.events) with ordinality as e (event, number)
where l.stream like 'payment/%';
