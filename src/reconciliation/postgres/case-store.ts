import type pg from 'pg';
import { keyAfter, type Page, type PageOf, pageOf } from '../../kernel/page.ts';
import type { CaseKind, CaseState } from '../cases/case.facts.ts';
import type { CaseRecord } from '../cases/case-view.ts';
import type { CaseSides } from '../cases/follow-effects.ts';
import type { EffectSeen, Suspense } from '../cases/ports.ts';
import type { Effect } from '../matching/index.ts';
import { inTransaction } from './transaction.ts';

export interface CaseFilter {
  readonly state?: CaseState;
  /** Those that have not ended. */
  readonly open?: boolean;
  readonly kind?: CaseKind;
  readonly profile?: string;
  readonly assignee?: string;
  /** Past their due date at that instant, ISO 8601, and not ended. */
  readonly dueBefore?: string;
  /** Opened before that instant: how old they are at least. */
  readonly openedBefore?: string;
}

interface Comment {
  readonly id: string;
  readonly caseId: string;
  readonly salt: string;
  readonly text: string;
}

/** The read model of cases, the texts of comments, and the places in effects and log up to which they were looked at. */
export class CaseStore implements Suspense {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** What is there in a later version stays. */
  async save(view: CaseRecord): Promise<void> {
    await this.#pool.query({
      name: 'reconciliation.save-case',
      text: `insert into reconciliation.cases as c (id, version, state, kind, profile, line_ids, expectation_ids, assignee,
          opened_at, due_at, ended_at, proposed, working, view)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        on conflict (id) do update set version = excluded.version, state = excluded.state, assignee = excluded.assignee,
          ended_at = excluded.ended_at, proposed = excluded.proposed, working = excluded.working, view = excluded.view
        where c.version < excluded.version`,
      values: [
        view.caseId,
        view.version,
        view.state,
        view.kind,
        view.profile,
        view.lineIds,
        view.paymentIds,
        view.assignee ?? null,
        view.openedAt,
        view.dueAt,
        view.endedAt ?? null,
        view.proposal !== undefined,
        view.working !== undefined,
        JSON.stringify(view),
      ],
    });
  }

  /** The oldest first. @throws PageError */
  async list(filter: CaseFilter, page: Page): Promise<PageOf<CaseRecord>> {
    const name = { list: 'cases', ...filter, open: filter.open === true ? 1 : undefined };
    const after = keyAfter(name, page, [/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/, /^[A-Za-z0-9_-]{27}$/]);
    const { rows } = await this.#pool.query<{ view: CaseRecord }>(
      `select view from reconciliation.cases
       where ($1::text is null or state = $1) and ($2::text is null or kind = $2) and ($3::text is null or profile = $3)
         and ($4::text is null or assignee = $4) and ($5::timestamptz is null or due_at < $5 and ended_at is null)
         and ($6::timestamptz is null or opened_at < $6) and (not $7 or ended_at is null)
         and ($8::timestamptz is null or (opened_at, id) > ($8, $9))
       order by opened_at, id limit $10`,
      [
        filter.state ?? null,
        filter.kind ?? null,
        filter.profile ?? null,
        filter.assignee ?? null,
        filter.dueBefore ?? null,
        filter.openedBefore ?? null,
        filter.open === true,
        after?.[0] ?? null,
        after?.[1] ?? null,
        page.limit + 1,
      ],
    );
    const items = rows.map(({ view }) => view);
    return pageOf(name, page, items, ({ openedAt, caseId }) => [openedAt, caseId]);
  }

  /** Cases that have not ended and are about any of these. */
  async openAbout(
    lineIds: readonly string[],
    expectationIds: readonly string[],
  ): Promise<readonly (CaseSides & { readonly caseId: string })[]> {
    const { rows } = await this.#pool.query<{
      id: string;
      kind: CaseKind;
      line_ids: string[];
      expectation_ids: string[];
    }>({
      name: 'reconciliation.cases-about',
      text: `select id, kind, line_ids, expectation_ids from reconciliation.cases
        where ended_at is null and (line_ids && $1::text[] or expectation_ids && $2::text[]) order by id`,
      values: [lineIds, expectationIds],
    });
    return rows.map(({ id, kind, line_ids, expectation_ids }) => ({
      caseId: id,
      kind,
      lineIds: line_ids,
      expectationIds: expectation_ids,
    }));
  }

  /** Cases with something that was begun. */
  async working(): Promise<readonly string[]> {
    const { rows } = await this.#pool.query<{ id: string }>(
      'select id from reconciliation.cases where working order by id',
    );
    return rows.map(({ id }) => id);
  }

  async keepComment({ id, caseId, salt, text }: Comment): Promise<void> {
    await this.#pool.query(
      'insert into reconciliation.case_comments (id, case_id, salt, text) values ($1, $2, $3, $4)',
      [id, caseId, salt, text],
    );
  }

  async dropComment(id: string): Promise<void> {
    await this.#pool.query('delete from reconciliation.case_comments where id = $1', [id]);
  }

  async comments(caseId: string): Promise<ReadonlyMap<string, Pick<Comment, 'salt' | 'text'>>> {
    const { rows } = await this.#pool.query<{ id: string; salt: string; text: string }>(
      'select id, salt, text from reconciliation.case_comments where case_id = $1',
      [caseId],
    );
    return new Map(rows.map(({ id, salt, text }) => [id, { salt, text }]));
  }

  /** Effects that nobody has looked at for cases, in their order, as far as they were carried out. */
  async effects(limit: number): Promise<readonly EffectSeen[]> {
    const { rows } = await this.#pool.query<EffectRow>({
      name: 'reconciliation.effects-for-cases',
      text: `select e.sequence, e.id, e.kind, e.profile, e.line_ids, e.expectation_ids, e.detail, c.outcome, c.answer,
          case when cardinality(e.line_ids) > 0
            then (select sum(l.amount) from reconciliation.lines l where l.id = any(e.line_ids))
            else (select sum(case x.direction when 'in' then x.amount else -x.amount end)
                  from reconciliation.expectations x where x.id = any(e.expectation_ids)) end as amount
        from reconciliation.effects e left join reconciliation.carried_out c on c.effect_id = e.id
        where e.sequence > (select effect from reconciliation.cases_to)
          and e.sequence <= (select sequence from reconciliation.carried_out_to)
        order by e.sequence limit $1`,
      values: [limit],
    });
    return rows.map(effectOf);
  }

  async taken(sequence: number): Promise<void> {
    await this.#pool.query('update reconciliation.cases_to set effect = greatest(effect, $1)', [sequence]);
  }

  async position(): Promise<number> {
    const { rows } = await this.#pool.query<{ position: string }>('select position from reconciliation.cases_to');
    return Number(rows[0]?.position ?? 0);
  }

  async caughtUp(position: number): Promise<void> {
    await this.#pool.query('update reconciliation.cases_to set position = greatest(position, $1)', [position]);
  }

  take(lineIds: readonly string[], caseId: string): Promise<boolean> {
    return inTransaction(this.#pool, 'carrying', async (client) => {
      const { rows } = await client.query<{ id: string }>(
        `select line_id from reconciliation.line_bookings
         where line_id = any($1::text[]) and ((booked_as = 'suspense' and leaving is null) or (booked_as = 'person' and case_id = $2))`,
        [lineIds, caseId],
      );
      if (lineIds.length === 0 || rows.length < new Set(lineIds).size) return false;
      await client.query(
        `update reconciliation.line_bookings set booked_as = 'person', case_id = $2 where line_id = any($1::text[])`,
        [lineIds, caseId],
      );
      return true;
    });
  }

  async giveBack(lineIds: readonly string[], caseId: string): Promise<void> {
    await this.#pool.query(
      `update reconciliation.line_bookings set booked_as = 'suspense', case_id = null
       where line_id = any($1::text[]) and booked_as = 'person' and case_id = $2`,
      [lineIds, caseId],
    );
  }
}

interface EffectRow {
  readonly sequence: string;
  readonly id: string;
  readonly kind: Effect['kind'];
  readonly profile: string;
  readonly line_ids: string[];
  readonly expectation_ids: string[];
  readonly detail: Effect['detail'];
  readonly outcome: 'done' | 'refused' | 'nothing' | null;
  readonly answer: readonly { readonly outcome: string; readonly code?: string }[] | null;
  readonly amount: string | null;
}

function effectOf(row: EffectRow): EffectSeen {
  const code = row.answer?.find(({ outcome }) => outcome === 'refused')?.code;
  return {
    sequence: Number(row.sequence),
    id: row.id,
    kind: row.kind,
    profile: row.profile,
    lineIds: row.line_ids,
    expectationIds: row.expectation_ids,
    detail: row.detail,
    refused: row.outcome === 'refused',
    ...(code !== undefined && { refusal: { code } }),
    amount: BigInt(row.amount ?? 0),
  };
}
