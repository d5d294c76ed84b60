import type { Registry } from 'prom-client';
import type { CommitTold } from '../../eventstore/index.ts';
import { Counts } from '../platform/metrics/counts.ts';
import { secondsBounds, Spread } from '../platform/metrics/spread.ts';

/** Units in one commit. */
const batchBounds = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500];

/** What the log commits: the group commit is where the speed comes from, and this shows it at work. */
export function logMetrics(registry: Registry): (commit: CommitTold) => void {
  const commits = new Counts(registry, {
    name: 'kora_log_commits_total',
    help: 'Commits asked of the store of the log, by what it answered: committed, stale, failed, unknown',
    labels: ['outcome'],
  });
  const units = new Counts(registry, {
    name: 'kora_log_units_total',
    help: 'Units committed; with kora_log_commits_total the mean size of a batch',
    labels: [],
  }).of();
  const events = new Counts(registry, {
    name: 'kora_log_events_total',
    help: 'Events committed',
    labels: [],
  }).of();
  const batch = new Spread(registry, {
    name: 'kora_log_batch_units',
    help: 'Units in one commit',
    labels: [],
    bounds: batchBounds,
  }).of();
  const seconds = new Spread(registry, {
    name: 'kora_log_commit_seconds',
    help: 'From handing a batch to the store to its answer',
    labels: [],
    bounds: secondsBounds,
  }).of();
  return ({ outcome, units: inBatch, events: inUnits, tookMs }) => {
    commits.of(outcome).value += 1;
    seconds.observe(tookMs / 1_000);
    if (outcome !== 'committed') return;
    units.value += inBatch;
    events.value += inUnits;
    batch.observe(inBatch);
  };
}
