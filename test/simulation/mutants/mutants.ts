/** A deliberate bug: an exact piece of the product's source, and what stands in its place. */
export interface Mutant {
  readonly file: string;
  readonly text: string;
  readonly bug: string;
}

/** Bugs that the simulation must find, each by itself. */
export const mutants: Readonly<Record<string, Mutant>> = {
  'the expected version is skipped': {
    file: 'eventstore/memory/memory-log.ts',
    text: 'else if (version !== expect) heads.set(stream, version);',
    bug: 'else if (version < expect) heads.set(stream, version);',
  },
  'only the batch of a refused unit is refused, not what waits': {
    file: 'eventstore/planner/batch-planner.ts',
    text: 'for (const planned of this.#waiting) sift(planned);\n    this.#waiting = kept;\n    return refused;',
    bug: 'kept.push(...this.#waiting);\n    this.#waiting = kept;\n    return refused;',
  },
  'only the first of a chain within a batch is refused, and what waits': {
    file: 'eventstore/planner/batch-planner.ts',
    text: 'for (const planned of batch.units) sift(planned);',
    bug: 'const all = new Set<StreamId>(); for (const planned of batch.units) { fallen.clear(); sift(planned); for (const stream of fallen) all.add(stream); } for (const stream of all) fallen.add(stream);',
  },
  'the opening of an account that a unit leaves alone is not waited for': {
    file: 'src/actors/participants.ts',
    text: 'if (durable?.value === newest?.value) continue;',
    bug: "if (durable?.value === newest?.value || kind === 'account') continue;",
  },
  'the answer leaves before the unit is durable': {
    file: 'src/actors/runtime.ts',
    text: "        if (change.expect === 'any') continue;\n        const resident",
    bug: "        if (change.expect === 'any') continue;\n        resolve({ outcome: 'committed', position: 0, lastPosition: 0, recordedAt: new Date(0) });\n        const resident",
  },
  'a refusal on speculative facts does not wait for them': {
    file: 'src/actors/runtime.ts',
    text: '          if (!(await participants.durable())) {\n            lost += 1;\n            continue;\n          }\n          if (isOutrun) continue;',
    bug: '',
  },
  'what fell is not rolled back': {
    file: 'src/actors/runtime.ts',
    text: 'resident?.fell(pending);',
    bug: '',
  },
  'a refusal stands on what another process has changed': {
    file: 'src/actors/participants.ts',
    text: 'if (resident.knownSince > this.#since || resident.pending !== undefined) continue;',
    bug: 'if (resident.knownSince >= 0) continue;',
  },
  'the key of a request may have been read before its account': {
    file: 'src/actors/participants.ts',
    text: 'return this.#mustReloadRequest() || must;',
    bug: 'return must;',
  },
  'commands are not remembered': {
    file: 'src/machines/payment/payment.machine.ts',
    text: 'if (fact.commandId === undefined) return { ...context, ...changed, version };',
    bug: 'if (version > 0) return { ...context, ...changed, version };',
  },
  'the same key with another body counts as the same request': {
    file: 'src/machines/payment/applied.ts',
    text: 'if (applied.fingerprint !== command.fingerprint) return',
    bug: 'if (applied.fingerprint === "") return',
  },
  'the key of a step is not taken': {
    file: 'src/machines/payment/key.ts',
    text: "if (decision.outcome !== 'decided' || !isKeyed(command)) return decision;",
    bug: "if (decision.outcome !== 'decided' || command.commandId !== '') return decision;",
  },
  'a key may make a payment and take a step': {
    file: 'src/actors/runtime.ts',
    text: '...(absent && { absent: [absent] }),',
    bug: '',
  },
  'the hold stays when a payment is reversed': {
    file: 'src/machines/payment/reverse.ts',
    text: "else release(unit, context, 'REVERSED');",
    bug: "else if (context.held === 0n) release(unit, context, 'REVERSED');",
  },
  'a refund does not reserve its share': {
    file: 'src/machines/payment/pay.ts',
    text: "unit.payment(command.original, [{ type: 'RefundReserved', refund: command.paymentId, amount }]);",
    bug: 'void amount;',
  },
  'a hold is captured after its end': {
    file: 'src/machines/payment/capture.ts',
    text: '(context.expiresAt !== undefined && hasCome(context.expiresAt, at) ?',
    bug: "(context.expiresAt === '' && hasCome(context.expiresAt, at) ?",
  },
  'the fee is rounded up': {
    file: 'src/machines/payment/postings.ts',
    text: '(captured * BigInt(feeBps)) / 10_000n',
    bug: '(captured * BigInt(feeBps) + 9_999n) / 10_000n',
  },
  'rows are written before the transaction that moves their checkpoint': {
    file: 'src/projections/memory/write-batch.ts',
    text: 'transaction.push(() => this.tables.write(member.projection, changes));',
    bug: 'this.tables.write(member.projection, changes);',
  },
  'checkpoints are not fenced': {
    file: 'src/projections/memory/write-batch.ts',
    text: "!== member.position)) return 'fenced';",
    bug: "< 0)) return 'fenced';",
  },
  'half a unit is delivered': {
    file: 'eventstore/log-tail.ts',
    text: 'for (const unit of recorded()) this.#units.push(unit);',
    bug: 'for (const unit of recorded()) this.#units.push({ ...unit, rows: unit.rows.slice(0, 1) });',
  },
  'a snapshot is of a projection that lags': {
    file: 'src/gateway/stream/read-state.ts',
    text: 'return (await this.#log.readLast([stream])).get(stream);',
    bug: 'const rows = []; for await (const one of this.#log.readStream(stream)) rows.push(one); return rows.at(-2) ?? rows[0];',
  },
  'a subscription loses an event': {
    file: 'src/gateway/stream/live-feed.ts',
    text: 'if (hot.watchers.size > 0) deliveries.push({ hot, frame });',
    bug: 'if (hot.watchers.size > 0 && frame.position % 9 > 0) deliveries.push({ hot, frame });',
  },
  'what is fed while a client joins is lost': {
    file: 'src/gateway/stream/live-feed.ts',
    text: 'const missed = hot.recent.filter((frame) => frame.position > position);',
    bug: 'const missed: Frame[] = [];',
  },
  'a client is fed only from its joining on': {
    file: 'src/gateway/stream/live-feed.ts',
    text: '  hot.recent.push(frame);\n',
    bug: '',
  },
  'a catch-up is taken to reach as far as the feed is after it': {
    file: 'src/gateway/stream/subscription.ts',
    text: 'position = Math.max(head, await this.#catchUp(position).finally(() => gate.leave()));',
    bug: 'position = await this.#catchUp(position).finally(() => gate.leave()); position = Math.max(feed.head, position, head);',
  },
  'a snapshot is taken to reach as far as the feed is after it': {
    file: 'src/gateway/stream/subscription.ts',
    text: 'const upTo = Math.max(head, position);',
    bug: 'const upTo = Math.max(feed.head, head, position);',
  },
  'a catch-up begins too early': {
    file: 'src/gateway/stream/read-after.ts',
    text: 'frame: rowFrame(topic, row, row, after) };',
    bug: 'frame: rowFrame(topic, row, row, 0) };',
  },
  'a catch-up begins with the whole of a unit': {
    file: 'src/gateway/stream/read-after.ts',
    text: 'frame: paymentsFrame(unit, after) };',
    bug: 'frame: paymentsFrame(unit, 0) };',
  },
  'memory has a gap where another process wrote': {
    file: 'eventstore/log-tail.ts',
    text: 'if (!wanted || this.#own.from === position) {',
    bug: 'if (!wanted) {',
  },
  'a deadline is never tried again': {
    file: 'src/actors/deadline-scheduler.ts',
    text: 'if (until <= now.getTime()) this.#quiet.delete(id);',
    bug: 'if (until <= 0) this.#quiet.delete(id);',
  },
  'a full disk stops a projection for good': {
    file: 'src/projections/postgres/writer.ts',
    text: 'const passing = /^(08|40|53|55|57|58)/;',
    bug: 'const passing = /^(08|40|55|57|58)/;',
  },
  'a full disk fails the batch': {
    file: 'eventstore/postgres/batch-doubt.ts',
    text: 'const passing = /^(08|40|53|55|57|58|25006)/;',
    bug: 'const passing = /^(08|40|55|57|58|25006)/;',
  },
  'what a refusal says of one call is believed of the call before': {
    file: 'eventstore/postgres/batch-doubt.ts',
    text: '(!this.#isInDoubt || isRaisedByTheBatch(error))',
    bug: '(this.#isInDoubt || !this.#isInDoubt)',
  },
  'trouble is never over': {
    file: 'src/troubles.ts',
    text: 'if (!this.#bySource.delete(source) ||',
    bug: 'if (!this.#bySource.has(source) ||',
  },
  'nobody is put out of memory': {
    file: 'src/actors/residents.ts',
    text: 'if (this.#sweeping || this.#residents.size <= this.#max) return;',
    bug: 'if (this.#max > 0) return;',
  },
  'a hold is released while an instruction is on its way': {
    file: 'src/machines/payment/transfer.ts',
    text: "(status === 'pending' && instructions?.state === 'on its way')",
    bug: "(status === 'pending' && instructions?.state === 'accepted')",
  },
  'a hold is released while an instruction is in doubt': {
    file: 'src/machines/payment/transfer.ts',
    text: "return status === 'sent' || status === 'in_doubt' ||",
    bug: "return status === 'sent' ||",
  },
  'a hold expires while an instruction is live': {
    file: 'src/machines/payment/reverse.ts',
    text: 'refuseLive(payment) ??',
    bug: "(command.reason === 'expired' ? undefined : refuseLive(payment)) ??",
  },
  'a payment is failed while an instruction is live': {
    file: 'src/machines/payment/fail.ts',
    text: 'refuseLive(payment) ??',
    bug: '',
  },
  'the cancelling of a payout releases a slice that was sent': {
    file: 'src/machines/payout/decide-payout.ts',
    text: "slice.value === 'AUTHORIZED' && !isLive(slice.context.transfer)",
    bug: "slice.value === 'AUTHORIZED'",
  },
  'what is not found is sent again by another connector': {
    file: 'src/actors/dispatcher/dispatcher.ts',
    text: '{ id: about.connector, profile: about.provider }',
    bug: "{ id: about.connector === 'momo-a' ? 'momo-b' : 'momo-a', profile: 'momo' }",
  },
  'what is not found may be sent again at once': {
    file: 'src/actors/dispatcher/next-step.ts',
    text: 'overdueMs(terms) + terms.notFoundFinalAfterMs',
    bug: '0 * terms.notFoundFinalAfterMs',
  },
  'not found is a final no': {
    file: 'src/actors/dispatcher/dispatcher.ts',
    text: "if (answer.status === 'not_found') return this.#notFound(payment, about, visit);",
    bug: "if (answer.status === 'not_found') return this.#recorder.record(paymentId, about.number, { said: 'refused', code: 'not_found', elsewhere: true });",
  },
  'it is sent without an intent': {
    file: 'src/actors/dispatcher/recorder.ts',
    text: 'if (!outcome.ok || outcome.duplicate) return outcome;',
    bug: 'if (outcome.ok && outcome.duplicate) return outcome;',
  },
  'it is sent before its intent is durable': {
    file: 'src/actors/dispatcher/recorder.ts',
    text: "const outcome = await this.#carryOut(\n      {\n        type: 'Instruct',",
    bug: "const outcome = { ok: true, duplicate: false } as Outcome;\n    void this.#carryOut(\n      {\n        type: 'Instruct',",
  },
  'who did not write the intent sends it as well': {
    file: 'src/actors/dispatcher/recorder.ts',
    text: 'if (!outcome.ok || outcome.duplicate) return outcome;',
    bug: 'if (!outcome.ok) return outcome;',
  },
  'a sender is told more time than the intent has': {
    file: 'src/actors/dispatcher/recorder.ts',
    text: 'sendBefore: sendBefore.toISOString(),\n    traceId',
    bug: 'sendBefore: new Date(sendBefore.getTime() + 60_000).toISOString(),\n    traceId',
  },
  'a connector does not look at the time at its socket': {
    file: 'test/simulation/world/simulated-connectors.ts',
    text: 'if (now() >= Date.parse(told.sendBefore)) {',
    bug: 'if (now() < 0) {',
  },
  'a lost answer is a refusal': {
    file: 'src/actors/dispatcher/outcomes.ts',
    text: "return { said: 'unknown', reason: answer.reason };",
    bug: "return { said: 'refused', code: answer.reason.replaceAll(' ', '_'), elsewhere: true };",
  },
  'an answer that says nothing is a refusal': {
    file: 'src/actors/dispatcher/outcomes.ts',
    text: "case 'unknown':\n      return undefined;",
    bug: "case 'unknown':\n      return { said: 'refused', code: 'unknown', elsewhere: false };",
  },
  'a refusal is believed when the provider calls': {
    file: 'src/actors/dispatcher/recorder.ts',
    text: "if (outcome.said !== 'refused') await",
    bug: 'await',
  },
  'a late success is not posted': {
    file: 'src/machines/payment/record-outcome.ts',
    text: 'if (isLate) {',
    bug: "if (isLate && about.state !== 'refused') {",
  },
  'people may guess that what is on its way was refused': {
    file: 'src/machines/payment/record-outcome.ts',
    text: "outcome.said === 'refused' && about.state === 'on its way')",
    bug: "outcome.said === 'refused' && about.state === 'accepted')",
  },
  'a late success is posted each time that it is said': {
    file: 'src/machines/payment/transfer.ts',
    text: "changing(transfer, number, { state: 'paid late', providerRef })",
    bug: 'changing(transfer, number, { providerRef })',
  },
  'a late success is on the books of another provider': {
    file: 'src/machines/payment/record-outcome.ts',
    text: 'provider: about.provider, providerRef',
    bug: "provider: context.provider ?? '', providerRef",
  },
  'another fee is posted as if there had been none': {
    file: 'src/machines/payment/record-outcome.ts',
    text: 'BigInt(fact.providerFee) - context.providerFee',
    bug: 'BigInt(fact.providerFee)',
  },
  'a connector that has refused is asked again': {
    file: 'src/actors/dispatcher/next-step.ts',
    text: 'refusedBy.add(at.connector);',
    bug: "refusedBy.add('');",
  },
  'what nobody is heard of stays on its way': {
    file: 'src/actors/dispatcher/next-step.ts',
    text: "if (transfer.status === 'pending') return { do: 'doubt', about };",
    bug: "if (transfer.status === 'pending') return nothing;",
  },
  'what is in doubt is not on the work list': {
    file: 'src/projections/instructions.projection.ts',
    text: "state = 'in_doubt';",
    bug: 'state = null;',
  },
  'the day of settlement settles what no provider has proved': {
    file: 'src/machines/payment/meet-settlement.ts',
    text: 'if (!POSTINGS[kind].provider) return',
    bug: "if (kind !== 'PAYOUT') return",
  },
  'a breaker never closes': {
    file: 'src/actors/breakers.ts',
    text: 'if (watched.successes >= needed)',
    bug: 'if (watched.successes < 0)',
  },
  'breakers are forgotten with their process': {
    file: 'src/actors/breakers.ts',
    text: 'await Promise.all(connectorIds.map((id) => this.#reload(id)));',
    bug: 'await Promise.all(connectorIds.slice(0, 0).map((id) => this.#reload(id)));',
  },
};
