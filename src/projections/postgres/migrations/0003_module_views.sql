-- What the Ledger reads of the log: its own accounts, and where the facts of a payment are. The views belong to the
-- projector, which may read the log; the Ledger's role may read the views and not the log (src/modules.ts).
create view projections.account_rows as
select stream, version, position, count, unit, events
from eventstore.log where stream like 'account/%' or stream like 'system/%';

create view projections.account_heads as
select stream, version from eventstore.heads where stream like 'account/%' or stream like 'system/%';

-- The units that carry a payment's facts, and the position after each of them.
create view projections.payment_units as
select p.stream, p.unit, u.position + (u.meta ->> 'count')::integer as unit_end
from eventstore.log p join eventstore.log u on u.position = p.unit where p.stream like 'payment/%';

-- The entries of a payment are in the units that carry its facts, and the rows of a unit lie next to each other.
create or replace function projections.entries_of_payment(payment text) returns setof projections.ledger_entries
language sql stable as $$
  select e.*
  from projections.payment_units p
  join projections.ledger_entries e on e.row_position >= p.unit and e.row_position < p.unit_end
  where p.stream = 'payment/' || payment and e.unit = p.unit and e.txn_id = payment
$$;
