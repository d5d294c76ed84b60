import type { CaseContext } from '../harness/case.ts';

/** Payments that are offered. */
export const perSecond = 500;

/** What is in doubt is asked for after 1, 3, 7 and 15 s, and sent again then; of those a few are in doubt once more. */
export const drainMs = 120_000;

/** A provider takes up to two seconds: a measurement has to be long against it. 18 s, unless somebody wants it quick. */
export function windowMs({ measureMs }: Pick<CaseContext, 'measureMs'>): number {
  return 3 * measureMs;
}
