import type { Asked } from '../actors/dispatcher/dispatcher.ts';
import type { Caller, ConnectorRequest } from '../actors/requests.ts';
import type { Outcome } from '../actors/runtime.ts';
import type { ConnectorView } from '../machines/connector/view.ts';

/** What the doors need of the Providers: connectors as operators see them, and their word on a breaker. */
export interface Connectors {
  /** By id. From a read model: what happened a moment ago may be missing. */
  list(): Promise<readonly ConnectorView[]>;
  /** A connector as it is durably now. Undefined: there is none. */
  connector(id: string): Promise<ConnectorView | undefined>;
  /** Whether payments of this provider go through a connector: then a connector is told, and says what became of them. */
  serves(provider: string): boolean;
  /** Asks the provider of a payment what became of it, out of turn. What it says is durable; asking twice is harmless. */
  ask(paymentId: string): Promise<Asked>;
  /** Carries out what an operator asks for. The answer, a refusal included, is durable. Throws as `Runtime.execute` does. */
  carryOut(request: ConnectorRequest, caller: Caller): Promise<Outcome>;
  /** Whether it was carried out already, as far as is known here. */
  isApplied(request: ConnectorRequest, caller: Caller): Promise<boolean>;
}
