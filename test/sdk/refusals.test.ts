/** The client's refusals are those of the product: same codes, same figures. */
import { expect, expectTypeOf, it } from 'vitest';
import type { Refusal, RefusalCode } from '../../sdk/index.ts';
import { isRefusal, problemIn } from '../../sdk/refusal.ts';
import { problemKinds } from '../../src/gateway/http/problem-map.ts';
import type { Refusal as CoreRefusal } from '../../src/kernel/refusal.ts';

/** What the door makes of a refusal of the core. */
type OnTheWire<One> = One extends { readonly code: infer Code }
  ? Omit<One, 'message'> & { readonly code: Code } & ProblemFields
  : never;
interface ProblemFields {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly correlationId: string;
}

it('knows every refusal of the core with its figures', () => {
  // Checked by the compiler: a figure that is missing, or has another type, breaks the build here.
  expectTypeOf<OnTheWire<CoreRefusal>>().toExtend<Refusal>();
  expectTypeOf<CoreRefusal['code']>().toExtend<RefusalCode>();
});

it('takes for a refusal what says that nothing was done, and for none what does not know', () => {
  const undecided = Object.keys(problemKinds).filter((code) => {
    const problem = problemIn({ code, detail: '…', status: 400, title: '…', type: '…', correlationId: '…' });
    return problem !== undefined && !isRefusal(problem);
  });
  const unknown = Object.entries(problemKinds).filter(([, { remedy }]) => /outcome is unknown/i.test(remedy));
  expect(undecided.sort()).toEqual([...unknown.map(([code]) => code), 'StillRunning'].sort());
});

it('takes for a problem only what is one', () => {
  for (const body of [undefined, null, 'text', {}, { code: 1, detail: '', status: 400 }, { code: 'x', status: 400 }]) {
    expect(problemIn(body)).toBeUndefined();
  }
});
