import { describe, expect, test } from 'vitest';
import { createLogger } from './platform/logging.ts';
import { sayingItOnce, Troubles } from './troubles.ts';

const failure = (code: string): Error => Object.assign(new Error(`error ${code}`), { code });

function observed() {
  const lines: string[] = [];
  let nowMs = 0;
  const logger = createLogger({
    level: 'info',
    format: 'json',
    write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg),
  });
  const troubles = new Troubles({ logger, refuseAfterMs: 5_000, now: () => nowMs });
  return { lines, logger, troubles, pass: (ms: number) => (nowMs += ms) };
}

/** Proves that trouble is told once, whoever meets it, and refuses commands only when it lasts. */
describe('troubles', () => {
  test('are told when they begin, for each new reason, and when the last one is over', () => {
    const { lines, troubles } = observed();
    let changes = 0;
    troubles.onChange(() => (changes += 1));
    for (let time = 0; time < 3; time++) troubles.begin('database', failure('ECONNREFUSED'));
    for (let time = 0; time < 3; time++) troubles.begin('log', failure('53100'));
    troubles.end('database');
    expect(troubles.current).toMatchObject({ kind: 'disk full' });
    troubles.end('log');
    troubles.end('log');
    expect(troubles.current).toBeUndefined();
    expect(lines.map((line) => line.split(':')[0])).toEqual(['trouble', 'still trouble', 'the trouble is over']);
    expect(changes).toBe(2);
  });

  test('refuse commands when they last, but not for connections that only others lack', () => {
    const { troubles, pass } = observed();
    troubles.begin('log', failure('55P03'));
    pass(4_999);
    expect(troubles.refusal).toBeUndefined();
    pass(1);
    expect(troubles.refusal).toContain('somebody holds up the database');
    troubles.end('log');
    troubles.begin('database', failure('53300'));
    pass(60_000);
    expect(troubles.refusal).toBeUndefined();
  });

  test('keep quiet those who meet what is known, also as the cause of something else', () => {
    const { lines, logger, troubles } = observed();
    const quiet = sayingItOnce(logger, troubles);
    const failed = new Error('the log failed', { cause: failure('57P01') });
    // Before anybody knows: one of them is heard.
    for (let time = 0; time < 3; time++) quiet.error({ err: failed }, 'a call came to a fault');
    troubles.begin('log', failure('57P01'));
    for (let time = 0; time < 3; time++) quiet.warn({ err: failed }, 'deadlines wait');
    quiet.error({ err: new Error('a bug') }, 'a bug');
    expect(lines.map((line) => line.split(':')[0])).toEqual(['a call came to a fault', 'trouble', 'a bug']);
  });
});
