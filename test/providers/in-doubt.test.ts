import { afterEach, describe, expect, it } from 'vitest';
import { accepted, notSent, quiet, refused, ScriptedBank, Stage, timedOut, usual } from './support/stage.ts';

/** Proves the rules of docs/in-doubt.md, one by one: whatever a provider says, and whenever, nobody is debited twice. */
describe('in doubt', () => {
  let stage: Stage;
  afterEach(async () => {
    await stage.dispatcher.stop();
    expect(stage.errors).toEqual([]);
  });
  const begin = async (bank = new ScriptedBank()): Promise<string> => {
    stage = new Stage(bank);
    const paymentId = await stage.cashOut();
    stage.dispatcher.start();
    await quiet();
    return paymentId;
  };
  const sent = (): string[] => stage.bank.sent.map(({ connector }) => connector);
  /** Ada has paid 400 out of 1,000 once, and the provider's fee of 3 is ours. */
  const paidOnce = { ada: 600n, 'float:momo:XOF': 403n, 'cost:momo:XOF': -3n, 'float:cash:XOF': -1_000n };
  const untouched = { ada: 1_000n, 'float:cash:XOF': -1_000n };

  it('a confirmation in the answer settles', async () => {
    const id = await begin();
    expect(await stage.status(id)).toBe('SETTLED settled');
    expect(await stage.facts(id)).toEqual(['Initiated', 'Authorized', 'Issued', 'Confirmed', 'Captured', 'Settled']);
    expect(await stage.books()).toEqual(paidOnce);
  });

  it('a late confirmation after a time-out is found by asking with our key, and nothing is sent again', async () => {
    const id = await begin(new ScriptedBank().next(timedOut).says({ status: 'unknown', reason: 'Timeout' }));
    expect(await stage.status(id)).toBe('AUTHORIZED in_doubt');
    await stage.clock.pass(60_000);
    expect(await stage.status(id)).toBe('AUTHORIZED in_doubt');
    stage.bank.says({ status: 'confirmed', providerRef: 'ref-9', providerFee: '3' });
    await stage.clock.pass(60_000);
    expect(await stage.status(id)).toBe('SETTLED settled');
    expect(await stage.books()).toEqual(paidOnce);
    expect(sent()).toEqual(['one']);
    expect(new Set(stage.bank.asked.map(({ reference }) => reference))).toEqual(new Set([`key:${id}`]));
  });

  it('a late confirmation by callback after a time-out settles too', async () => {
    const id = await begin(new ScriptedBank().next(timedOut));
    await stage.callback(id, { said: 'confirmed', providerRef: 'ref-9', providerFee: 3n });
    expect(await stage.status(id)).toBe('SETTLED settled');
    expect(await stage.books()).toEqual(paidOnce);
  });

  it('a callback of what this process has not heard of is not taken: the provider must say it again', async () => {
    const id = await begin(new ScriptedBank().next(timedOut));
    const word = { said: 'confirmed', providerRef: 'ref-9', providerFee: 3n } as const;
    expect(await stage.callback('nobody', word)).toBe(false);
    expect(await stage.callback(id, word, 'two')).toBe(false);
    expect(await stage.callback(id, word)).toBe(true);
    expect(await stage.books()).toEqual(paidOnce);
  });

  it('a duplicate callback leaves nothing', async () => {
    const id = await begin(new ScriptedBank().next(accepted()).says({ status: 'pending', providerRef: 'ref-1' }));
    expect(await stage.status(id)).toBe('CAPTURED sent');
    const word = { said: 'confirmed', providerRef: 'ref-1', providerFee: 3n } as const;
    for (let times = 0; times < 3; times++) await stage.callback(id, word);
    await Promise.all([stage.callback(id, word), stage.callback(id, word)]);
    const facts = await stage.facts(id);
    expect(facts.filter((fact) => fact === 'Confirmed')).toHaveLength(1);
    expect(await stage.books()).toEqual(paidOnce);
  });

  it('a callback before the answer counts, and the answer that comes after it changes nothing', async () => {
    let answer: (value: ReturnType<typeof accepted>) => void = () => undefined;
    const id = await begin(new ScriptedBank().next(() => new Promise((resolve) => (answer = resolve))));
    await stage.callback(id, { said: 'confirmed', providerRef: 'ref-1', providerFee: 3n });
    expect(await stage.status(id)).toBe('SETTLED settled');
    answer(accepted());
    await stage.clock.pass(10_000);
    expect(await stage.facts(id)).toEqual(['Initiated', 'Authorized', 'Issued', 'Confirmed', 'Captured', 'Settled']);
    expect(await stage.books()).toEqual(paidOnce);
  });

  describe('contradicting answers', () => {
    it('accepted, then refused by callback: it is not believed until the provider is asked', async () => {
      const id = await begin(new ScriptedBank().next(accepted()).says({ status: 'pending', providerRef: 'ref-1' }));
      await stage.callback(id, { said: 'refused', code: 'Declined', elsewhere: true });
      await stage.clock.pass(5_000);
      expect(await stage.status(id)).toBe('CAPTURED sent');
      stage.bank.says({ status: 'confirmed', providerRef: 'ref-1', providerFee: '3' });
      await stage.clock.pass(120_000);
      expect(await stage.status(id)).toBe('SETTLED settled');
      expect(sent()).toEqual(['one']);
    });

    it('accepted, then refused when it is asked: the money goes back, and nobody else is told', async () => {
      const bank = new ScriptedBank().next(accepted());
      const id = await begin(bank.says({ status: 'refused', code: 'Declined', elsewhere: true }));
      await stage.clock.pass(60_000);
      expect(await stage.status(id)).toBe('REVERSED failed');
      expect(await stage.books()).toEqual(untouched);
      expect(sent()).toEqual(['one']);
    });

    it('confirmed, then refused: it is noted for people, and moves nothing', async () => {
      const id = await begin();
      await stage.must({ type: 'Resolve', paymentId: id, outcome: 'refused', reason: 'we did not' } as never);
      expect(await stage.status(id)).toBe('SETTLED settled');
      expect((await stage.facts(id)).at(-1)).toBe('ProviderContradicted');
      expect(await stage.books()).toEqual(paidOnce);
    });

    it('finally refused and done elsewhere, then confirmed after all: the second money lies in suspense', async () => {
      const id = await begin(new ScriptedBank().next(refused()));
      expect(sent()).toEqual(['one', 'two']);
      expect(await stage.status(id)).toBe('SETTLED settled');
      await stage.callback(id, { said: 'confirmed', providerRef: 'ref-late', providerFee: 2n });
      await stage.callback(id, { said: 'confirmed', providerRef: 'ref-late', providerFee: 2n });
      expect((await stage.facts(id)).filter((fact) => fact === 'LateSuccessPosted')).toHaveLength(1);
      expect(await stage.books()).toEqual({
        ...paidOnce,
        'float:momo:XOF': 403n + 402n,
        'cost:momo:XOF': -5n,
        'suspense:XOF': -400n,
      });
    });
  });

  it('"not found" while the first request is on its way is not final, and nothing is sent again before it is', async () => {
    const id = await begin(new ScriptedBank().next(timedOut));
    // sendBefore 5 s, request 3 s, clocks 1 s, final after 10 s: 19 s.
    await stage.clock.pass(18_000);
    expect(stage.bank.asked.length).toBeGreaterThan(2);
    expect(await stage.status(id)).toBe('AUTHORIZED in_doubt');
    expect(sent()).toEqual(['one']);
    stage.bank.says({ status: 'confirmed', providerRef: 'ref-slow', providerFee: '3' });
    await stage.clock.pass(60_000);
    expect(await stage.status(id)).toBe('SETTLED settled');
    expect(sent()).toEqual(['one']);
  });

  it('what is finally not found is sent again to the same connector with the same key, as a new intent', async () => {
    const id = await begin(new ScriptedBank().next(timedOut));
    await stage.clock.pass(120_000);
    expect(await stage.status(id)).toBe('SETTLED settled');
    expect(stage.bank.sent).toEqual([
      { connector: 'one', key: id },
      { connector: 'one', key: id },
    ]);
    expect(await stage.facts(id)).toEqual([
      ...['Initiated', 'Authorized', 'Issued', 'InDoubt', 'Issued', 'Confirmed', 'Captured', 'Settled'],
    ]);
    expect(await stage.books()).toEqual(paidOnce);
  });

  it('what was sent again may be in doubt again: it is asked for and sent again as the first time', async () => {
    const id = await begin(new ScriptedBank().next(timedOut).next(timedOut));
    await stage.clock.pass(120_000);
    expect(await stage.status(id)).toBe('SETTLED settled');
    expect(sent()).toEqual(['one', 'one', 'one']);
    expect(await stage.facts(id)).toEqual([
      ...['Initiated', 'Authorized', 'Issued', 'InDoubt', 'Issued', 'InDoubt', 'Issued'],
      ...['Confirmed', 'Captured', 'Settled'],
    ]);
    expect(await stage.books()).toEqual(paidOnce);
  });

  it('a provider that does not honour keys is not told again: people must say', async () => {
    const bank = new ScriptedBank(['one', 'two'], { ...usual, honoursKeys: false }).next(timedOut);
    const id = await begin(bank);
    await stage.clock.pass(600_000);
    expect(await stage.status(id)).toBe('AUTHORIZED in_doubt');
    expect((await stage.facts(id)).at(-1)).toBe('Unresolved');
    expect(sent()).toEqual(['one']);
    await stage.must({ type: 'Resolve', paymentId: id, outcome: 'refused', reason: 'not in their statement' } as never);
    expect(await stage.status(id)).toBe('FAILED failed');
    expect(await stage.books()).toEqual(untouched);
  });

  it('a provider that cannot be asked by our key is not asked: people must say', async () => {
    const bank = new ScriptedBank(['one', 'two'], { ...usual, findsByKey: false }).next(timedOut);
    const id = await begin(bank);
    await stage.clock.pass(600_000);
    expect(stage.bank.asked).toEqual([]);
    expect((await stage.facts(id)).at(-1)).toBe('Unresolved');
    expect(sent()).toEqual(['one']);
    const proof = { outcome: 'confirmed', providerRef: 'line 7 of the statement', providerFee: 3n } as const;
    await stage.must({ type: 'Resolve', paymentId: id, ...proof } as never);
    expect(await stage.books()).toEqual(paidOnce);
  });

  it('a sender that sleeps past `sendBefore` sends nothing, and says so', async () => {
    stage = new Stage();
    const id = await stage.cashOut();
    // The intent is written, and then the process is not given the processor for six seconds.
    const carryOut = stage.runtime.carryOut.bind(stage.runtime);
    let slept = false;
    stage.runtime.carryOut = async (command, caller) => {
      const outcome = await carryOut(command, caller);
      if (command.type === 'Instruct' && !slept) {
        slept = true;
        await stage.clock.pass(6_000);
      }
      return outcome;
    };
    stage.dispatcher.start();
    for (let turns = 0; turns < 20; turns++) await quiet();
    expect((await stage.facts(id)).slice(2)).toEqual(['Issued', 'NotSent']);
    expect(sent()).toEqual([]);
    await stage.clock.pass(10_000);
    expect(await stage.status(id)).toBe('SETTLED settled');
    expect(await stage.books()).toEqual(paidOnce);
  });

  it('an intent whose sender died is not sent by whoever finds it: it becomes a doubt, and is asked for', async () => {
    stage = new Stage();
    const id = await stage.cashOut();
    stage.bank.next(() => new Promise(() => undefined));
    const dies = stage.newDispatcher();
    dies.look(id);
    await quiet();
    expect(sent()).toEqual(['one']);
    stage.bank.says({ status: 'confirmed', providerRef: 'ref-1', providerFee: '3' });
    stage.dispatcher.start();
    await stage.clock.pass(8_000);
    // Its sender may still be at it.
    expect((await stage.facts(id)).slice(2)).toEqual(['Issued']);
    await stage.clock.pass(10_000);
    expect((await stage.facts(id)).slice(2)).toEqual(['Issued', 'InDoubt', 'Confirmed', 'Captured', 'Settled']);
    expect(sent()).toEqual(['one']);
  });

  it('two dispatchers at once send it once', async () => {
    stage = new Stage(new ScriptedBank().next(accepted()).says({ status: 'pending', providerRef: 'ref-1' }));
    const id = await stage.cashOut();
    const other = stage.newDispatcher();
    stage.dispatcher.start();
    other.start();
    await stage.clock.pass(5_000);
    await other.stop();
    expect(sent()).toEqual(['one']);
    expect(await stage.status(id)).toBe('CAPTURED sent');
  });

  describe('fallback', () => {
    it('to another connector after a final refusal', async () => {
      const id = await begin(new ScriptedBank().next(refused()));
      expect(sent()).toEqual(['one', 'two']);
      expect(await stage.books()).toEqual(paidOnce);
      expect(await stage.status(id)).toBe('SETTLED settled');
    });

    it('to another connector when not a byte was sent, and the first is not there now', async () => {
      const id = await begin(new ScriptedBank().next(notSent));
      stage.bank.closedDoors.add('one');
      await stage.clock.pass(5_000);
      expect(sent()).toEqual(['one', 'two']);
      expect(await stage.status(id)).toBe('SETTLED settled');
    });

    it('not when the refusal is of the payment itself', async () => {
      const id = await begin(new ScriptedBank().next(refused(false)));
      expect(sent()).toEqual(['one']);
      expect(await stage.status(id)).toBe('FAILED failed');
      expect(await stage.books()).toEqual(untouched);
    });

    it('not while it is in doubt, however long, and however well the other connector is', async () => {
      const bank = new ScriptedBank().next(timedOut).says({ status: 'unknown', reason: 'Timeout' });
      const id = await begin(bank);
      stage.bank.closedDoors.add('one');
      await stage.clock.pass(500_000);
      expect(await stage.status(id)).toBe('AUTHORIZED in_doubt');
      expect(sent()).toEqual(['one']);
    });

    it('not after a doubt either: a refusal that ends a doubt ends the payment', async () => {
      const bank = new ScriptedBank().next(timedOut).says({ status: 'refused', code: 'NotServed', elsewhere: true });
      const id = await begin(bank);
      await stage.clock.pass(10_000);
      expect(await stage.status(id)).toBe('FAILED failed');
      expect(sent()).toEqual(['one']);
      expect(await stage.books()).toEqual(untouched);
    });

    it('until all have refused: then the payment fails, and its hold is free', async () => {
      const id = await begin(new ScriptedBank().next(refused()).next(refused()));
      expect(sent()).toEqual(['one', 'two']);
      expect(await stage.status(id)).toBe('FAILED failed');
      expect(await stage.books()).toEqual(untouched);
    });
  });

  it('expiry, reversal, cancel and capture are refused while an instruction lives, and expiry fires when it ends', async () => {
    const id = await begin(new ScriptedBank().next(timedOut).says({ status: 'unknown', reason: 'Timeout' }));
    await stage.clock.pass(601_000);
    for (const request of [
      { type: 'Reverse', paymentId: id, reason: 'requested' },
      { type: 'Reverse', paymentId: id, reason: 'provider' },
      { type: 'Fail', paymentId: id, reason: 'cancelled' },
      { type: 'Capture', paymentId: id },
    ] as const) {
      expect(await stage.do(request as never)).toMatchObject({ ok: false, refusal: { code: 'InstructionLive' } });
    }
    stage.due.push({ paymentId: id, kind: 'expire' });
    expect(await stage.scheduler.look()).toBe(0);
    expect(await stage.status(id)).toBe('AUTHORIZED in_doubt');
    // Never arrived, and its hold has ended meanwhile: it is not sent any more, so people say it, and then it is over.
    stage.bank.says({ status: 'not_found' });
    await stage.clock.pass(120_000);
    expect((await stage.facts(id)).at(-1)).toBe('Unresolved');
    await stage.must({ type: 'Resolve', paymentId: id, outcome: 'refused', reason: 'never arrived' } as never);
    expect(await stage.status(id)).toBe('FAILED failed');
    expect(await stage.books()).toEqual(untouched);
  });

  it('an outcome that is proven after the hold has ended is recorded: its intent came before', async () => {
    const id = await begin(new ScriptedBank().next(timedOut).says({ status: 'unknown', reason: 'Timeout' }));
    await stage.clock.pass(700_000);
    await stage.must({ type: 'FreezeAccount', accountId: 'ada', reason: 'a look at it' } as never);
    stage.bank.says({ status: 'confirmed', providerRef: 'ref-1', providerFee: '3' });
    await stage.clock.pass(120_000);
    expect(await stage.status(id)).toBe('SETTLED settled');
    expect(await stage.books()).toEqual(paidOnce);
  });

  it('a provider that has done it after it had FAILED: its money lies in suspense', async () => {
    const id = await begin(new ScriptedBank().next(refused(false)));
    await stage.callback(id, { said: 'confirmed', providerRef: 'ref-late', providerFee: 3n });
    expect(await stage.status(id)).toBe('FAILED failed');
    expect(await stage.books()).toEqual({
      ...untouched,
      'suspense:XOF': -400n,
      'cost:momo:XOF': -3n,
      'float:momo:XOF': 403n,
    });
  });

  it('a later word on the fee posts the difference, once', async () => {
    const id = await begin();
    const word = { said: 'settled', providerRef: 'ref-one', providerFee: 5n } as const;
    await stage.callback(id, word);
    await stage.callback(id, word);
    expect(await stage.books()).toEqual({ ...paidOnce, 'cost:momo:XOF': -5n, 'float:momo:XOF': 405n });
  });
});
