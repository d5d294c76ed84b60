interface Failed {
  readonly times: number;
  readonly until: number;
}

/** Cases in which something was begun: whose turn it is. One that cannot go on waits longer and longer, and alone. */
export class BegunCases {
  readonly #failed = new Map<string, Failed>();

  /** Those whose turn it is: first those that never failed. What is not among them any more is forgotten. */
  due(caseIds: readonly string[], now: Date): readonly string[] {
    const still = new Set(caseIds);
    for (const id of this.#failed.keys()) if (!still.has(id)) this.#failed.delete(id);
    const until = (id: string): number => this.#failed.get(id)?.until ?? 0;
    return caseIds.filter((id) => until(id) <= now.getTime()).sort((a, b) => until(a) - until(b));
  }

  failed(caseId: string, now: Date): void {
    const times = (this.#failed.get(caseId)?.times ?? 0) + 1;
    const waitMs = Math.min(1_000 * 2 ** (times - 1), 300_000);
    this.#failed.set(caseId, { times, until: now.getTime() + waitMs });
  }
}
