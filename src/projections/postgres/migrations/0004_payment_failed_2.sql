-- PaymentFailed, version 2, says its cause (docs/events.md). The view reads both versions: what version 1 left to be
-- guessed is derived here as src/machines/event-versions.ts derives it. `data` is as it was written, `schema` says how.
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
