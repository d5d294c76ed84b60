-- Where a unit ends. In a mirror of a log that is kept elsewhere positions have gaps: there its first row says `last`.
create or replace view projections.payment_units as
select p.stream, p.unit,
  coalesce((u.meta ->> 'last')::bigint + 1, u.position + (u.meta ->> 'count')::integer) as unit_end
from eventstore.log p join eventstore.log u on u.position = p.unit where p.stream like 'payment/%';
