-- Cases: what people deal with. Their facts are in the log, on `case/<id>`; this is made from them and can be made again.
create table reconciliation.cases (
  id text primary key,
  -- Of the facts that are in it.
  version integer not null,
  state text not null check (state in ('OPEN', 'ASSIGNED', 'ESCALATED', 'RESOLVED', 'WRITTEN_OFF')),
  kind text not null,
  profile text not null,
  line_ids text[] not null,
  expectation_ids text[] not null,
  assignee text,
  opened_at timestamptz not null,
  due_at timestamptz not null,
  ended_at timestamptz,
  -- A resolution waits for another person.
  proposed boolean not null,
  -- A resolution was begun, and its outcome is not known.
  working boolean not null,
  -- All of it, as JSON.
  view jsonb not null
);
-- Lists, the oldest first: what is open, of everybody, of one bank, of one person.
create index cases_listed on reconciliation.cases (opened_at, id);
create index cases_open on reconciliation.cases (opened_at, id) where ended_at is null;
create index cases_profile on reconciliation.cases (profile, opened_at, id);
create index cases_assignee on reconciliation.cases (assignee, opened_at, id) where assignee is not null;
create index cases_due on reconciliation.cases (due_at, id) where ended_at is null;
create index cases_working on reconciliation.cases (id) where working;
-- What an effect may end.
create index cases_lines on reconciliation.cases using gin (line_ids) where ended_at is null;
create index cases_expectations on reconciliation.cases using gin (expectation_ids) where ended_at is null;

-- What people wrote. It may have to be forgotten, so it is not in the log, which has a digest of salt and text. Rows of
-- comments that no fact names are left behind by a crash, and shown to nobody.
create table reconciliation.case_comments (
  id text primary key,
  case_id text not null,
  salt text not null,
  text text not null
);
create index case_comments_case on reconciliation.case_comments (case_id);

-- How far effects were looked at for cases, and the log for the table above.
create table reconciliation.cases_to (
  single boolean primary key default true check (single),
  effect bigint not null,
  position bigint not null
);
insert into reconciliation.cases_to (effect, position) values (0, 0);

-- Effects by id, for the case that one comes from.
create index effects_id on reconciliation.effects (id);

-- What a person moves out of suspense is no longer the matching's to move.
alter table reconciliation.line_bookings drop constraint line_bookings_booked_as_check;
alter table reconciliation.line_bookings add constraint line_bookings_booked_as_check
  check (booked_as in ('none', 'payment', 'suspense', 'fee', 'interest', 'person'));
-- The case that moves it.
alter table reconciliation.line_bookings add column case_id text;
