import { expect, test } from 'vitest';
import { createLogger } from './logging.ts';

// Lines are JSON for machines and text for people, and secrets are in neither.

function logged(format: 'json' | 'text', log: (logger: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  log(createLogger({ level: 'info', format, write: (line) => lines.push(line) }));
  return lines;
}

test('JSON lines have time, level, message and fields', () => {
  const [line, ...others] = logged('json', (logger) => {
    logger.debug('not told');
    logger.info({ position: 7 }, 'serving');
  });
  expect(others).toEqual([]);
  expect(JSON.parse(line ?? '')).toEqual({
    level: 'info',
    timestamp: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T.*Z$/) as string,
    position: 7,
    msg: 'serving',
  });
});

test('text lines read as one, with the trace of an error below', () => {
  const error = new Error('gone', { cause: new Error('the socket closed') });
  const [line] = logged('text', (logger) => logger.warn({ err: error, stream: 'payment/1' }, 'the log waits'));
  expect(line).toMatch(/^\d{2}:\d{2}:\d{2}\.\d{3} warn {2}the log waits stream=payment\/1\nError: gone\n +at /);
});

test('secrets are cut out, also of what an error carries', () => {
  const error = Object.assign(new Error('refused'), { token: 'secret', parameters: ['secret'], code: '57P01' });
  const lines = logged('json', (logger) => {
    logger.error({ err: error, token: 'secret', config: { serviceKey: 'secret' } }, 'failed');
  });
  expect(lines.join('')).not.toContain('secret');
  expect(lines.join('')).toContain('57P01');
});
