-- What was never looked at has no state yet: it is OPEN, and the first look writes its row. So a line that comes and is matched
-- is written once, and not found among rows that are dead.
create table reconciliation.looked_at (
  side text primary key check (side in ('line', 'expectation')),
  -- All up to this number have a state. Of those above some may.
  up_to bigint not null
);
insert into reconciliation.looked_at
  select 'line', coalesce(min(line) filter (where not examined) - 1, max(line), 0) from reconciliation.line_states;
insert into reconciliation.looked_at
  select 'expectation', coalesce(min(expectation) filter (where not examined) - 1, max(expectation), 0)
  from reconciliation.expectation_states;
delete from reconciliation.line_states where not examined;
delete from reconciliation.expectation_states where not examined;
alter table reconciliation.line_states drop column examined;
alter table reconciliation.expectation_states drop column examined;

-- What was never looked at, by number.
create view reconciliation.fresh_lines as
  select number from reconciliation.lines
  where number > (select up_to from reconciliation.looked_at where side = 'line')
    and not exists (select from reconciliation.line_states where line = number);
create view reconciliation.fresh_expectations as
  select number from reconciliation.expectations
  where number > (select up_to from reconciliation.looked_at where side = 'expectation')
    and not exists (select from reconciliation.expectation_states where expectation = number);

-- Grows with every change of what is there already: what was read ahead of it has to be read again.
create table reconciliation.amendments (
  single boolean primary key default true check (single),
  number bigint not null default 0
);
insert into reconciliation.amendments default values;
