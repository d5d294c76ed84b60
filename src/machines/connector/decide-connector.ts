import { isAccountId } from '../../kernel/ids.ts';
import type { Refusal } from '../../kernel/refusal.ts';
import { hasCome } from '../../kernel/time.ts';
import type { ConnectorCommand } from '../commands.ts';
import type { Decision, World } from '../decision.ts';
import { takes } from '../flat-machine.ts';
import { answerToUsedKey, isKeyed } from '../payment/key.ts';
import { refuseReason } from '../reason.ts';
import { idempotencyConflict, illegalTransition, invalid } from '../refusals.ts';
import { refused, Unit } from '../unit.ts';
import type { ConnectorFact } from './connector.facts.ts';
import { connectorMachine, newConnector, type ConnectorSnapshot } from './connector.machine.ts';

/**
 * A command on a connector leaves one fact on it. What a person asks for opens `request/<command id>` too; what the
 * breaker itself does is harmless twice, because the state that it leads to refuses it.
 */
export function decideConnector(command: ConnectorCommand, at: string, world: World): Decision {
  const { connectorId, commandId, fingerprint } = command;
  const request = isKeyed(command) ? world.request(commandId) : undefined;
  if (request?.type === 'ConnectorHandled' && request.connectorId === connectorId) {
    return request.fingerprint === fingerprint
      ? { outcome: 'duplicate-connector', connectorId, version: request.version, after: request.after }
      : refused(idempotencyConflict(commandId));
  }
  const used = answerToUsedKey(command, world);
  if (used !== undefined) return used;
  if (!isAccountId(connectorId)) return refused(invalid('connectorId', 'not a name of a connector'));
  const fact = factOf(command, at, world.connector(connectorId) ?? newConnector(connectorId));
  if ('code' in fact) return refused(fact);

  const unit = new Unit(world);
  const { context } = unit.connectorFact(connectorId, fact);
  if (isKeyed(command)) {
    const { version } = context;
    unit.request(commandId, { type: 'ConnectorHandled', fingerprint, connectorId, version, after: fact.after });
  }
  return unit.decided();
}

/** What leads to a state, by the fact. The machine says which facts a state takes. */
const FACT_OF = {
  OpenBreaker: 'BreakerOpened',
  HalfOpenBreaker: 'BreakerHalfOpened',
  CloseBreaker: 'BreakerClosed',
  ForceBreaker: 'BreakerForced',
} as const satisfies Record<ConnectorCommand['type'], ConnectorFact['type']>;

function factOf(command: ConnectorCommand, at: string, connector: ConnectorSnapshot): ConnectorFact | Refusal {
  const { value, context } = connector;
  const illegal = (why?: string): Refusal => {
    const allowed = (Object.keys(FACT_OF) as ConnectorCommand['type'][]).filter((other) =>
      takes(connectorMachine, value, FACT_OF[other]),
    );
    return illegalTransition(value, command.type, allowed, why);
  };
  if (!takes(connectorMachine, value, FACT_OF[command.type])) return illegal();
  switch (command.type) {
    case 'OpenBreaker': {
      const { failures, reason, openUntil } = command;
      return { type: 'BreakerOpened', after: { state: 'OPEN', failures, openUntil, reason } };
    }
    case 'HalfOpenBreaker': {
      if (context.forced) return illegal('a person opened it, and a person closes it');
      if (context.openUntil === undefined || !hasCome(context.openUntil, at))
        return illegal(`it is open until ${context.openUntil ?? ''}`);
      const { failures, reason } = context;
      const after = { state: 'HALF_OPEN', failures, ...(reason !== undefined && { reason }) } as const;
      return { type: 'BreakerHalfOpened', after };
    }
    case 'CloseBreaker':
      return { type: 'BreakerClosed', successes: command.successes, after: { state: 'CLOSED', failures: 0 } };
    case 'ForceBreaker': {
      const { state, reason } = command;
      const malformed = refuseReason(reason);
      if (malformed !== undefined) return malformed;
      if (state === 'CLOSED') return { type: 'BreakerForced', reason, after: { state, failures: 0 } };
      return { type: 'BreakerForced', reason, after: { state, failures: context.failures, reason, forced: true } };
    }
  }
}
