import type { MatchingRules } from '../../../../src/reconciliation/matching/rules.ts';
import type { Decision, Expectation, ExternalLine } from '../../../../src/reconciliation/matching/sides.ts';

/**
 * What docs/reconciliation.md says, by brute force: everything against everything, from scratch. It shares no code with what
 * it judges.
 */
export function oracle(
  lines: readonly ExternalLine[],
  expectations: readonly Expectation[],
  decisions: readonly Decision[],
  rules: MatchingRules,
  today: number,
): { readonly matches: string[]; readonly states: Record<string, string> } {
  const day = (date: string): number => Date.parse(date) / 86_400_000;
  const L = lines.filter((line) => !line.held).sort((a, b) => (a.id < b.id ? -1 : 1));
  const E = [...expectations].sort((a, b) => (a.id < b.id ? -1 : 1));
  const taken = new Map<object, string>();
  const matches: string[] = [];
  const take = (rule: string, state: string, ls: ExternalLine[], es: Expectation[], fees: bigint[]): void => {
    for (const one of [...ls, ...es]) taken.set(one, state);
    const fed = es.map((e, at) => `${e.id}+${fees[at] ?? 0n}`).sort();
    matches.push(
      `${rule}: ${ls
        .map(({ id }) => id)
        .sort()
        .join(',')} = ${fed.join(',')}`,
    );
  };
  const free = (one: object): boolean => !taken.has(one);
  const live = decisions.filter(({ revoked }) => !revoked);
  const forbidden = (l: ExternalLine, e: Expectation): boolean =>
    live.some((d) => d.kind === 'forbid' && d.lineIds.includes(l.id) && d.expectationIds.includes(e.id));

  const via = (l: ExternalLine, e: Expectation): 'own' | 'text' | 'part' | undefined => {
    if (l.reversal || l.profile !== e.profile) return undefined;
    const has = (tokens: readonly string[]): boolean => tokens.some((t) => e.tokens.includes(t));
    if (has(l.tokens)) return 'own';
    if (has(l.textTokens)) return 'text';
    return (l.parts ?? []).some((p) => has(p.tokens)) ? 'part' : undefined;
  };
  const direct = (l: ExternalLine): boolean => E.some((e) => via(l, e) !== undefined);
  const inGroup = (l: ExternalLine, e: Expectation, token: string): boolean =>
    !l.reversal && l.profile === e.profile && !direct(l) && e.groupTokens.includes(token);
  const groupTokens = (l: ExternalLine): string[] => [...new Set([...l.tokens, ...l.textTokens])].sort();
  const agreedE = (e: Expectation): boolean =>
    L.some((l) => via(l, e) !== undefined || groupTokens(l).some((t) => inGroup(l, e, t)));
  const agreedL = (l: ExternalLine): boolean =>
    E.some((e) => via(l, e) !== undefined || groupTokens(l).some((t) => inGroup(l, e, t)));

  const size = (x: bigint): bigint => (x < 0n ? -x : x);
  const net = (e: Expectation): bigint => (e.direction === 'out' ? e.amount + (e.fee ?? 0n) : e.amount - (e.fee ?? 0n));
  const way = (amount: bigint, currency: string, e: Expectation): boolean =>
    currency === e.currency && amount > 0n === (e.direction === 'in');
  const exact = (amount: bigint, currency: string, e: Expectation): bigint | undefined =>
    !way(amount, currency, e)
      ? undefined
      : size(amount) === e.amount
        ? 0n
        : size(amount) === net(e)
          ? e.fee
          : undefined;
  const total = (xs: readonly bigint[]): bigint => xs.reduce((a, b) => a + b, 0n);
  const distance = (l: ExternalLine, e: Expectation): number => Math.abs(day(l.valueDate) - day(e.date));

  const pairs = (rule: string, fee: (l: ExternalLine, e: Expectation) => bigint | undefined): void => {
    for (;;) {
      const best = L.filter(free)
        .flatMap((l) => E.filter(free).map((e) => ({ l, e, fee: forbidden(l, e) ? undefined : fee(l, e) })))
        .filter((one): one is typeof one & { fee: bigint } => one.fee !== undefined)
        .sort((a, b) => {
          const keys = (x: typeof a) => [x.e.withdrawn ? 1 : 0, x.fee, distance(x.l, x.e), x.l.id, x.e.id];
          const [ka, kb] = [keys(a), keys(b)];
          const at = ka.findIndex((k, i) => k !== kb[i]);
          return at < 0 ? 0 : (ka[at] ?? 0) < (kb[at] ?? 0) ? -1 : 1;
        })[0];
      if (best === undefined) return;
      take(rule, 'MATCHED', [best.l], [best.e], [best.fee]);
    }
  };

  for (const d of live.filter((one) => one.kind === 'link').sort((a, b) => (a.at + a.id < b.at + b.id ? -1 : 1))) {
    const ls = L.filter((l) => d.lineIds.includes(l.id) && free(l));
    const es = E.filter((e) => d.expectationIds.includes(e.id) && free(e));
    if (ls.length < d.lineIds.length || es.length < d.expectationIds.length) continue;
    const moved = size(total(ls.map((l) => l.amount)));
    const [e] = es;
    const alone = e !== undefined && es.length === 1;
    const fee = !alone ? 0n : e.direction === 'out' ? moved - e.amount : e.amount - moved;
    take(
      'manual',
      'MATCHED',
      ls,
      es,
      es.map(() => (fee > 0n ? fee : 0n)),
    );
  }
  const sorted = [...L].sort((a, b) => (a.valueDate + a.id < b.valueDate + b.id ? -1 : 1));
  const ambiguous = new Set<object>();
  const waiting = new Set<object>();

  for (const rule of rules.rules) {
    if (rule.kind === 'reference')
      pairs(rule.id, (l, e) => (via(l, e) === 'own' ? exact(l.amount, l.currency, e) : undefined));
    if (rule.kind === 'text')
      pairs(rule.id, (l, e) => (via(l, e) === 'text' ? exact(l.amount, l.currency, e) : undefined));
    if (rule.kind === 'fee')
      pairs(rule.id, (l, e) => {
        if (!['own', 'text'].includes(via(l, e) ?? '') || !way(l.amount, l.currency, e)) return undefined;
        const { basisPoints, absolute } = rules.termsOf(l.profile);
        const fee = e.direction === 'out' ? size(l.amount) - e.amount : e.amount - size(l.amount);
        return fee > 0n && fee <= (absolute.get(l.currency) ?? 0n) + (e.amount * basisPoints) / 10_000n
          ? fee
          : undefined;
      });
    if (rule.kind === 'reversal') {
      const found = L.filter((r) => r.reversal).flatMap((r) =>
        L.filter(
          (o) =>
            !o.reversal &&
            o.profile === r.profile &&
            o.account === r.account &&
            o.currency === r.currency &&
            o.amount === -r.amount &&
            day(o.valueDate) <= day(r.valueDate) &&
            o.tokens.some((t) => r.tokens.includes(t)),
        ).map((o) => ({ r, o, key: [day(r.valueDate) - day(o.valueDate), r.id, o.id] as const })),
      );
      found.sort((a, b) => a.key[0] - b.key[0] || (a.key[1] + a.key[2] < b.key[1] + b.key[2] ? -1 : 1));
      for (const { r, o } of found) if (free(r) && free(o)) take(rule.id, 'MATCHED', [r, o], [], []);
    }
    if (rule.kind === 'known')
      for (const l of L) {
        const like = rule.codes.some((code) =>
          new RegExp(`^${code.replaceAll('*', '[^/]*')}$`).test(l.kindCode ?? '\n'),
        );
        if (free(l) && !l.reversal && like && l.amount > 0n === (rule.sign === 'credit'))
          take(rule.id, 'KNOWN', [l], [], []);
      }
    if (rule.kind === 'counterparty') {
      const terms = (l: ExternalLine) => rules.termsOf(l.profile);
      const could = (l: ExternalLine, e: Expectation): boolean => {
        const apart = day(l.valueDate) - day(e.date);
        return (
          free(l) &&
          free(e) &&
          !l.reversal &&
          l.parts === undefined &&
          !e.withdrawn &&
          !agreedL(l) &&
          !agreedE(e) &&
          l.profile === e.profile &&
          l.counterparty !== undefined &&
          l.counterparty === e.counterparty &&
          way(l.amount, l.currency, e) &&
          size(l.amount) === e.amount &&
          !forbidden(l, e) &&
          apart <= terms(l).daysAfter &&
          -apart <= terms(l).daysBefore
        );
      };
      const found = L.flatMap((l) => E.filter((e) => could(l, e)).map((e) => ({ l, e })));
      const ready: typeof found = [];
      for (const { l, e } of found) {
        if (found.some((o) => (o.l === l) !== (o.e === e))) {
          ambiguous.add(l).add(e);
        } else if (Math.max(day(l.valueDate) + terms(l).daysBefore, day(e.date) + terms(l).daysAfter) < today) {
          ready.push({ l, e });
        } else waiting.add(l).add(e);
      }
      for (const { l, e } of ready) take(rule.id, 'MATCHED', [l], [e], [0n]);
    }
    if (rule.kind === 'parts')
      for (const l of sorted) {
        const parts = l.parts ?? [];
        if (!free(l) || parts.length === 0 || total(parts.map((p) => p.amount)) !== l.amount) continue;
        const chosen: { e: Expectation; fee: bigint }[] = [];
        for (const p of parts) {
          const [best] = E.filter(
            (e) =>
              free(e) &&
              via(l, e) !== undefined &&
              !forbidden(l, e) &&
              e.tokens.some((t) => p.tokens.includes(t)) &&
              !chosen.some((c) => c.e === e) &&
              exact(p.amount, l.currency, e) !== undefined,
          ).sort(
            (a, b) =>
              Number(a.withdrawn ?? false) - Number(b.withdrawn ?? false) ||
              distance(l, a) - distance(l, b) ||
              (a.id < b.id ? -1 : 1),
          );
          if (best !== undefined) chosen.push({ e: best, fee: exact(p.amount, l.currency, best) ?? 0n });
        }
        if (chosen.length === parts.length)
          take(
            rule.id,
            'MATCHED',
            [l],
            chosen.map((c) => c.e),
            chosen.map((c) => c.fee),
          );
      }
    if (rule.kind === 'group')
      for (const l of sorted)
        for (const t of groupTokens(l)) {
          const members = E.filter(
            (e) => free(e) && inGroup(l, e, t) && !e.withdrawn && way(l.amount, l.currency, e) && !forbidden(l, e),
          );
          if (!free(l) || members.length === 0) continue;
          if (total(members.map((e) => e.amount)) === size(l.amount)) take(rule.id, 'MATCHED', [l], members, []);
          else if (total(members.map(net)) === size(l.amount))
            take(
              rule.id,
              'MATCHED',
              [l],
              members,
              members.map((e) => e.fee ?? 0n),
            );
        }
    if (rule.kind === 'split')
      for (const e of [...E].sort((a, b) => (a.date + a.id < b.date + b.id ? -1 : 1))) {
        const ls = L.filter(
          (l) =>
            free(l) && ['own', 'text'].includes(via(l, e) ?? '') && way(l.amount, l.currency, e) && !forbidden(l, e),
        );
        const fee = exact(total(ls.map((l) => l.amount)), e.currency, e);
        if (free(e) && ls.length > 1 && fee !== undefined) take(rule.id, 'MATCHED', ls, [e], [fee]);
      }
  }
  for (const l of sorted) {
    const could = (x: ExternalLine): Expectation[] =>
      E.filter((e) => free(e) && via(x, e) !== undefined && !forbidden(x, e));
    if (!free(l) || l.reversal) continue;
    const es = could(l).sort((a, b) => distance(l, a) - distance(l, b) || (a.id < b.id ? -1 : 1));
    const [e] = es;
    if (e !== undefined && l.parts !== undefined) take('mismatch', 'MISMATCH', [l], es, []);
    else if (e !== undefined) {
      const others = L.filter(
        (o) => o !== l && free(o) && o.parts === undefined && could(o).length === 1 && could(o)[0] === e,
      );
      take('mismatch', 'MISMATCH', [l, ...others], [e], []);
    } else {
      for (const t of groupTokens(l)) {
        const members = E.filter((x) => free(x) && inGroup(l, x, t) && !forbidden(l, x));
        if (free(l) && members.length > 0) take('mismatch', 'MISMATCH', [l], members, []);
      }
    }
  }
  const states: Record<string, string> = {};
  for (const l of lines) {
    const { graceDays, daysBefore } = rules.termsOf(l.profile);
    const wait = ambiguous.has(l) ? Math.max(graceDays, daysBefore + 1) : graceDays;
    const reason = l.reversal
      ? 'reversal_alone'
      : agreedL(l)
        ? 'reference_taken'
        : ambiguous.has(l)
          ? 'ambiguous'
          : 'unknown';
    const alone = day(l.valueDate) + wait > today ? 'OPEN' : `MISSING_INTERNAL ${reason}`;
    states[`line ${l.id}`] = l.held || waiting.has(l) ? 'OPEN' : (taken.get(l) ?? alone);
  }
  for (const e of E) {
    const over = day(e.date) + rules.termsOf(e.profile).daysAfter < today;
    const alone = over && !e.withdrawn ? `MISSING_PROVIDER ${ambiguous.has(e) ? 'ambiguous' : 'unknown'}` : 'OPEN';
    states[`expectation ${e.id}`] = waiting.has(e) ? 'OPEN' : (taken.get(e) ?? alone);
  }
  return { matches: matches.sort(), states };
}
