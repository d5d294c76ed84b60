-- What is derived from the log, and can be thrown away. The tables of projections are made by the code that folds them
-- (src/projections/postgres/tables.ts), because a rebuild makes them again under a new number; here is what stays.
create schema projections;

create table projections.checkpoints (
  projection text primary key,
  -- Version of the projection's code that the tables were made by; other code must not write them.
  code_version integer not null,
  -- Number of the tables that are live: projections.payments is a view over projections.payments_v<number>.
  table_version integer not null,
  -- All units up to here are in the tables, and none after it. Always the end of a unit.
  position bigint not null check (position >= 0),
  updated_at timestamptz not null default clock_timestamp(),
  -- Why it stopped, and the position of the first event of the unit that it could not fold.
  error text,
  error_position bigint
) with (fillfactor = 50);

-- The ledger is the log itself: these are views, not copies. For one account or one payment use the functions below: the
-- log finds rows by stream and by position, so a condition on account_id, txn_id or payment_id alone reads all of it.
-- The last columns are for them: where the row is in the log.
create view projections.ledger_entries as
select
  l.position + e.number - 1 as position,
  split_part(l.stream, '/', 2) as account_id,
  e.event #>> '{data,paymentId}' as txn_id,
  (e.event #>> '{data,amount}')::numeric as amount,
  e.event #>> '{data,currency}' as currency,
  e.event #>> '{data,step}' as step,
  coalesce(u.meta ->> 'effectiveAt', u.meta ->> 'at')::timestamptz as effective_at,
  u.recorded_at,
  l.version + e.number - 1 as version,
  l.unit,
  l.stream,
  l.position as row_position,
  l.version as row_version
from eventstore.log l
join eventstore.log u on u.position = l.unit
cross join lateral json_array_elements(l.events) with ordinality as e (event, number)
where (l.stream like 'account/%' or l.stream like 'system/%') and e.event ->> 'type' = 'EntryPosted';

create view projections.payment_timeline as
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
  l.version as row_version
from eventstore.log l
join eventstore.log u on u.position = l.unit
cross join lateral json_array_elements(l.events) with ordinality as e (event, number)
where l.stream like 'payment/%';

-- An account is a wallet or a system account. Their ids never meet: only those of system accounts have a colon.
create function projections.entries_of_account(account text) returns setof projections.ledger_entries
language sql stable as $$
  select * from projections.ledger_entries where stream = any (array['account/' || account, 'system/' || account])
$$;

-- The entries of a payment are in the units that carry its facts, and the rows of a unit lie next to each other.
create function projections.entries_of_payment(payment text) returns setof projections.ledger_entries
language sql stable as $$
  select e.*
  from eventstore.log p
  join eventstore.log u on u.position = p.unit
  join projections.ledger_entries e
    on e.row_position >= u.position and e.row_position < u.position + (u.meta ->> 'count')::integer
  where p.stream = 'payment/' || payment and e.unit = p.unit and e.txn_id = payment
$$;

create function projections.timeline_of_payment(payment text) returns setof projections.payment_timeline
language sql stable as $$
  select * from projections.payment_timeline where stream = 'payment/' || payment
$$;
