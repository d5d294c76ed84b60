import { expect, it } from 'vitest';
import { FeedLags } from './feed-lags.ts';

// What is said of the lag never makes it smaller than it is: not while the core is away, and not after a restart.

const at = (seconds: number): Date => new Date(Date.UTC(2026, 10, 27) + seconds * 1_000);

it('says nothing where nobody takes feeds in', () => {
  const lags = new FeedLags();
  lags.seen('payments', 3, at(0));
  expect(lags.figures(at(1))).toEqual([]);
});

it('counts the time since everything was in, also before the core has answered', () => {
  const lags = new FeedLags();
  lags.begin('payments', at(0));
  expect(lags.figures(at(3_600))).toEqual([{ feed: 'payments', events: undefined, seconds: 3_600 }]);
  lags.seen('payments', 2_000, at(3_600));
  lags.seen('payments', 1_000, at(3_601));
  expect(lags.figures(at(3_602))).toEqual([{ feed: 'payments', events: 1_000, seconds: 3_602 }]);
  lags.seen('payments', 0, at(3_603));
  expect(lags.figures(at(3_604))).toEqual([{ feed: 'payments', events: 0, seconds: 1 }]);
});

it('grows while the core does not answer, whatever it said last', () => {
  const lags = new FeedLags();
  lags.begin('statements', at(0));
  lags.seen('statements', 0, at(10));
  expect(lags.figures(at(110))).toEqual([{ feed: 'statements', events: 0, seconds: 100 }]);
});

it('goes by when the core was asked, and by no earlier answer that came late', () => {
  const lags = new FeedLags();
  lags.begin('payments', at(50));
  lags.seen('payments', 0, at(40));
  expect(lags.caughtUpAt('payments')).toEqual(at(50));
  lags.end();
  expect(lags.figures(at(60))).toEqual([]);
});
