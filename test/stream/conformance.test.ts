import { describe, expect, it } from 'vitest';
import { connecting } from './features/connecting.ts';
import { endings } from './features/endings.ts';
import { garbage } from './features/garbage.ts';
import { limits } from './features/limits.ts';
import { messages } from './features/messages.ts';
import { muchAtOnce } from './features/much-at-once.ts';
import { ports } from './features/ports.ts';
import { restarts } from './features/restarts.ts';
import { slowClients } from './features/slow-clients.ts';
import { transports } from './support/door.ts';
import { staged } from './support/stage.ts';

/** Proves that the door is the same, whichever server stands behind its transport port. */
describe.each(transports)('on %s', (transport) => {
  const stage = staged(transport);

  it('listens with it', async () => {
    expect((await stage().open()).transport).toBe(transport);
  });

  ports(stage);
  connecting(stage);
  messages(stage);
  limits(stage);
  garbage(stage);
  slowClients(stage);
  muchAtOnce(stage);
  restarts(stage);
  endings(stage);
});
