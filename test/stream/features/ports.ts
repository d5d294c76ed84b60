import { describe, expect, it } from 'vitest';
import type { Stage } from '../support/stage.ts';

export function ports(stage: () => Stage): void {
  describe('a port', () => {
    it('is for one door alone', async () => {
      const { port } = await stage().open();
      await expect(stage().open({}, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    });

    it('is for one door alone where it was given by number too', async () => {
      const { port } = await stage().openToReopen();
      await expect(stage().open({}, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    });
  });
}
