import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { EventLog } from '../../../eventstore/index.ts';
import { invariant } from '../../kernel/invariant.ts';
import type { Page, PageOf } from '../../kernel/page.ts';
import { CoreUnreachableError } from '../effects/core.ts';
import { CaseStore, type CaseFilter } from '../postgres/case-store.ts';
import type { CaseFact, Resolution } from './case.facts.ts';
import type { CaseSnapshot } from './case.machine.ts';
import { type Asker, caseIdOf, loadCase, writeFact } from './case-log.ts';
import { type CaseTerms, defaultCaseTerms } from './case-terms.ts';
import { type CaseHistory, type CaseView, stepOf, viewOf } from './case-view.ts';
import { carryOutResolution } from './carry-out-resolution.ts';
import { type CaseCommand, type CaseRefusal, decideCase } from './decide-case.ts';
import { caseKindOf, endedBy, openingOf } from './follow-effects.ts';
import type { CaseCore, Decisions, EffectSeen } from './ports.ts';

export interface CasesOptions {
  /** Reconciliation's own database, migrated. */
  readonly pool: pg.Pool;
  /** Reconciliation's own log. */
  readonly log: EventLog;
  readonly core: CaseCore;
  readonly decisions: Decisions;
  readonly terms?: CaseTerms;
  readonly now?: () => Date;
}

export type CaseAnswer<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: CaseRefusal };

/** Cases: whatever did not match, in the hands of people. The doors ask who may; everything else is decided here. */
export interface Cases {
  /** The oldest first. @throws PageError */
  list(filter: CaseFilter, page: Page): Promise<PageOf<CaseView>>;
  get(caseId: string): Promise<CaseAnswer<CaseHistory>>;
  assign(caseId: string, assignee: string, asker: Asker, why?: string): Promise<CaseAnswer<CaseView>>;
  /** @param text without personal data, 1 to 1000 characters */
  comment(caseId: string, text: string, asker: Asker): Promise<CaseAnswer<CaseView>>;
  escalate(caseId: string, why: string, asker: Asker): Promise<CaseAnswer<CaseView>>;
  /** Begun at once, or proposed to another person. `working`: its outcome is not known yet, and comes by itself. */
  resolve(caseId: string, resolution: Resolution, why: string, asker: Asker): Promise<CaseAnswer<CaseView>>;
  /** @param proposal its number */
  approve(caseId: string, proposal: number, why: string, asker: Asker): Promise<CaseAnswer<CaseView>>;
  reject(caseId: string, proposal: number, why: string, asker: Asker): Promise<CaseAnswer<CaseView>>;
  /** Every case of the filter, for an export. */
  all(filter: CaseFilter): AsyncIterable<CaseView>;
  /** Opens and ends what effects say, and goes on with what was begun. Any number of times, by one process or several. @returns whether there was anything */
  goOn(): Promise<boolean>;
}

const attemptsMax = 5;
const system: Asker = { principal: 'reconciliation', correlationId: 'reconciliation:cases' };

/** @param options what cases stand on */
export function createCases({
  pool,
  log,
  core,
  decisions,
  terms = defaultCaseTerms,
  now = () => new Date(),
}: CasesOptions): Cases {
  const store = new CaseStore(pool);

  async function write(
    caseId: string,
    snapshot: CaseSnapshot,
    fact: CaseFact,
    asker: Asker,
  ): Promise<CaseSnapshot | 'stale' | 'overloaded'> {
    const next = await writeFact(log, caseId, snapshot, fact, asker, now());
    if (typeof next !== 'string') await store.save(viewOf(caseId, next));
    return next;
  }

  /** Decides anew as often as somebody else was faster. */
  async function command(caseId: string, asked: CaseCommand, asker: Asker): Promise<CaseAnswer<CaseView>> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const { snapshot } = await loadCase(log, caseId);
      if (snapshot.value === 'NEW') return notFound(caseId);
      const verdict = decideCase(snapshot, asked, asker.principal, terms);
      if (!verdict.ok) return verdict;
      const next = await write(caseId, snapshot, verdict.fact, asker);
      if (next === 'overloaded')
        return { ok: false, refusal: { code: 'Overloaded', message: 'the log takes no more: send it again' } };
      if (next === 'stale') continue;
      if (next.context.working === undefined) return { ok: true, value: viewOf(caseId, next) };
      return { ok: true, value: viewOf(caseId, await soon(caseId, next)) };
    }
    return { ok: false, refusal: { code: 'Contended', message: 'others were faster: look at it again' } };
  }

  /** Carries out what was begun; where the core cannot be reached it is left for `goOn`. */
  async function soon(caseId: string, begun: CaseSnapshot): Promise<CaseSnapshot> {
    try {
      return await carryOut(caseId, begun);
    } catch (error) {
      if (error instanceof CoreUnreachableError) return begun;
      throw error;
    }
  }

  async function carryOut(caseId: string, begun: CaseSnapshot): Promise<CaseSnapshot> {
    const { opened, working, half, moved } = begun.context;
    invariant(opened && working, `case ${caseId}: nothing was begun`);
    const fact = await carryOutResolution({ core, decisions, suspense: store }, caseId, { opened, half }, working);
    const next = await write(caseId, begun, fact, system);
    // Somebody else has carried it out too, with the same keys, and has written it down or is about to.
    if (typeof next === 'string') return (await loadCase(log, caseId)).snapshot;
    if (fact.type === 'ResolutionRefused' && moved === 0n && next.context.entered === 0n)
      await store.giveBack(opened.lineIds, caseId);
    return next;
  }

  async function take(effect: EffectSeen): Promise<void> {
    const caseId = caseIdOf(effect.id);
    for (const about of await store.openAbout(effect.lineIds, effect.expectationIds)) {
      const cause = about.caseId === caseId ? undefined : endedBy(effect, about);
      // Refused: it is at work, or a person has moved some of it. Then a person ends it.
      if (cause !== undefined) await command(about.caseId, { type: 'end', cause, effectId: effect.id }, system);
    }
    const kind = caseKindOf(effect);
    if (kind === undefined) return;
    const { snapshot } = await loadCase(log, caseId);
    if (snapshot.value !== 'NEW') return store.save(viewOf(caseId, snapshot));
    const opened = await write(caseId, snapshot, openingOf(effect, kind, terms, now()), system);
    if (opened === 'overloaded') throw new Error('the log takes no more cases for now');
  }

  async function goOn(): Promise<boolean> {
    const position = await log.lastPosition();
    const caught = await store.position();
    if (caught < position) {
      // What was written and is not in the table: whoever wrote it died in between.
      for await (const unit of log.readAll(caught)) {
        for (const { stream } of unit.rows) {
          if (!stream.startsWith('case/')) continue;
          const caseId = stream.slice('case/'.length);
          await store.save(viewOf(caseId, (await loadCase(log, caseId)).snapshot));
        }
        if (unit.lastPosition >= position) break;
      }
      await store.caughtUp(position);
    }
    const effects = await store.effects(200);
    for (const effect of effects) {
      await take(effect);
      await store.taken(effect.sequence);
    }
    const begun = await store.working();
    const failures: unknown[] = [];
    for (const caseId of begun) {
      try {
        const { snapshot } = await loadCase(log, caseId);
        if (snapshot.context.working !== undefined) await carryOut(caseId, snapshot);
      } catch (error) {
        // One that does not go on holds up no other.
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return effects.length > 0 || begun.length > 0;
  }

  return {
    list: (filter, page) => store.list(filter, page),
    async get(caseId) {
      const { snapshot, facts } = await loadCase(log, caseId);
      if (snapshot.value === 'NEW') return notFound(caseId);
      const kept = await store.comments(caseId);
      const texts = new Map<string, string>();
      for (const fact of facts) {
        if (fact.type !== 'CaseCommented') continue;
        const comment = kept.get(fact.commentId);
        if (comment !== undefined && digestOf(comment.salt, comment.text) === fact.digest)
          texts.set(fact.commentId, comment.text);
      }
      return { ok: true, value: { ...viewOf(caseId, snapshot), history: facts.map((fact) => stepOf(fact, texts)) } };
    },
    assign: (caseId, assignee, asker, why) =>
      command(caseId, { type: 'assign', assignee, ...(why !== undefined && { why }) }, asker),
    async comment(caseId, text, asker) {
      if (text.length < 1 || text.length > 1_000)
        return {
          ok: false,
          refusal: { code: 'Invalid', field: 'text', message: 'text: 1 to 1000 characters are wanted' },
        };
      const [commentId, salt] = [randomBytes(16).toString('base64url'), randomBytes(16).toString('base64url')];
      await store.keepComment({ id: commentId, caseId, salt, text });
      const answer = await command(caseId, { type: 'comment', commentId, digest: digestOf(salt, text) }, asker);
      if (!answer.ok) await store.dropComment(commentId);
      return answer;
    },
    escalate: (caseId, why, asker) => command(caseId, { type: 'escalate', why }, asker),
    resolve: (caseId, resolution, why, asker) => command(caseId, { type: 'resolve', resolution, why }, asker),
    approve: (caseId, proposal, why, asker) => command(caseId, { type: 'approve', proposal, why }, asker),
    reject: (caseId, proposal, why, asker) => command(caseId, { type: 'reject', proposal, why }, asker),
    async *all(filter) {
      let cursor: string | undefined;
      do {
        const page = await store.list(filter, { limit: 200, ...(cursor !== undefined && { cursor }) });
        yield* page.items;
        cursor = page.next;
      } while (cursor !== undefined);
    },
    goOn,
  };
}

function notFound(id: string): { ok: false; refusal: CaseRefusal } {
  return { ok: false, refusal: { code: 'NotFound', what: 'case', id, message: `there is no case ${id}` } };
}

function digestOf(salt: string, text: string): string {
  return createHash('sha256').update(`${salt} ${text}`).digest('base64url');
}
