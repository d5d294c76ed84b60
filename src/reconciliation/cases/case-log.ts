import { append, type EventLog, type StreamId, type StreamRow } from '../../../eventstore/index.ts';
import { commandIdOf } from '../../kernel/ids.ts';
import { invariant } from '../../kernel/invariant.ts';
import type { CaseFact, RecordedFact } from './case.facts.ts';
import { type CaseSnapshot, evolveCase, newCase } from './case.machine.ts';

export interface LoadedCase {
  readonly snapshot: CaseSnapshot;
  readonly facts: readonly RecordedFact[];
}

/** The id of the case that an effect comes to: the same effect never opens two. */
export function caseIdOf(effectId: string): string {
  return commandIdOf('kora', 'reconciliation/case', effectId);
}

const streamOf = (caseId: string): StreamId => `case/${caseId}`;

/** A case from its facts; without any it is `NEW`. */
export async function loadCase(log: EventLog, caseId: string): Promise<LoadedCase> {
  const facts: RecordedFact[] = [];
  let snapshot = newCase;
  for await (const row of log.readStream(streamOf(caseId))) {
    for (const fact of factsOf(row)) {
      const next = evolveCase(snapshot, fact);
      invariant(next !== 'illegal', `case ${caseId}: no ${fact.type} in ${snapshot.value}`);
      snapshot = next;
      facts.push(fact);
    }
  }
  return { snapshot, facts };
}

function factsOf({ events, meta }: StreamRow): RecordedFact[] {
  return events.map(({ type, data }) => ({ ...data, type, by: meta.principal, at: meta.at }) as RecordedFact);
}

export interface Asker {
  /** `user:<id>`, `service:<name>`, `operator:<name>`; what happens by itself is `reconciliation`. */
  readonly principal: string;
  readonly correlationId: string;
}

/**
 * Writes one fact onto a case that has so many.
 *
 * @returns the case after it; `stale`: somebody else was faster
 * @throws when the log does not take it
 */
export async function writeFact(
  log: EventLog,
  caseId: string,
  snapshot: CaseSnapshot,
  fact: CaseFact,
  asker: Asker,
  now: Date,
): Promise<CaseSnapshot | 'stale' | 'overloaded'> {
  const at = now.toISOString();
  const { version } = snapshot.context;
  const next = evolveCase(snapshot, { ...fact, by: asker.principal, at });
  invariant(next !== 'illegal', `case ${caseId}: no ${fact.type} in ${snapshot.value}`);
  const { type, ...data } = fact;
  const result = await append(log, {
    id: commandIdOf('kora', `case/${caseId}`, `${version + 1} ${asker.correlationId} ${at}`),
    appends: [{ stream: streamOf(caseId), expect: version, events: [{ type, schema: 1, data }] }],
    meta: { at, correlationId: asker.correlationId, principal: asker.principal },
  });
  switch (result.outcome) {
    case 'committed':
      return next;
    case 'stale':
    case 'overloaded':
      return result.outcome;
    case 'failed':
      throw result.error;
  }
}
