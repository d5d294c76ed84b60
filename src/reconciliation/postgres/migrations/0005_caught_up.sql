-- When everything of a feed was last known to be in: kept, so that who starts after an hour away knows of the hour.
alter table reconciliation.cursors add column caught_up_at timestamptz not null default clock_timestamp();
