import type { ConnectionHandlers, Transport, TransportOptions } from '../../../src/gateway/stream/transport.ts';
import type { Random } from './random.ts';
import type { Owner, Simulator } from './simulator.ts';
import type { Weather } from './weather.ts';

/** What a client has of its connection. */
export interface ClientSide {
  send(message: object): void;
  /** The client goes away. */
  leave(): void;
}

export interface ClientHandlers {
  opened(side: ClientSide): void;
  message(text: string): void;
  /** @param reason empty when the connection just broke */
  closed(code: number, reason: string): void;
}

/** The network between watchers and one process: what is sent arrives late, in order, or not at all with the rest. */
export class SimulatedTransport {
  readonly #simulator: Simulator;
  readonly #owner: Owner;
  readonly #weather: () => Weather;
  readonly #links = new Set<Link>();
  #options: TransportOptions | undefined;

  constructor(simulator: Simulator, owner: Owner, weather: () => Weather) {
    this.#simulator = simulator;
    this.#owner = owner;
    this.#weather = weather;
  }

  /** The port of the stream door. */
  readonly listen = (options: TransportOptions): Promise<Transport> => {
    this.#options = options;
    return Promise.resolve({
      port: 1,
      stopListening: () => (this.#options = undefined),
      close: () => this.cut(),
    });
  };

  /** A client connects. */
  connect(client: ClientHandlers, random: Random): void {
    const refuse = (): void => void this.#simulator.after(random.between(1, 50), () => client.closed(1006, ''));
    this.#simulator.after(random.between(0.1, 20), () => {
      const options = this.#options;
      if (!this.#owner.alive || options === undefined) {
        refuse();
        return;
      }
      const asked = { authorization: 'Bearer simulated', protocols: '', origin: '', device: '', forwardedFor: '' };
      void options.admit({ ...asked, address: '192.0.2.1' }).then((admission) => {
        if (!this.#owner.alive) return;
        if (!admission.ok) {
          refuse();
          return;
        }
        const link = new Link(this.#simulator, this.#owner, random, this.#weather, client, options.bufferedBytesMax);
        this.#links.add(link);
        link.gone = () => this.#links.delete(link);
        link.open((connection) => admission.open(connection));
      });
    });
  }

  /** All connections break: the process died, or lets nobody stay. */
  cut(): void {
    for (const link of [...this.#links]) link.cut();
  }
}

/** One connection. */
class Link {
  gone: () => void = () => undefined;
  bufferedBytes = 0;
  readonly #simulator: Simulator;
  readonly #owner: Owner;
  readonly #random: Random;
  readonly #weather: () => Weather;
  readonly #client: ClientHandlers;
  readonly #bufferedBytesMax: number;
  #handlers: ConnectionHandlers | undefined;
  #state: 'open' | 'closing' | 'cut' = 'open';
  /** Nothing overtakes what was sent before. */
  #arrivesAt = 0;
  #saysAt = 0;

  constructor(
    simulator: Simulator,
    owner: Owner,
    random: Random,
    weather: () => Weather,
    client: ClientHandlers,
    bufferedBytesMax: number,
  ) {
    this.#simulator = simulator;
    this.#owner = owner;
    this.#random = random;
    this.#weather = weather;
    this.#client = client;
    this.#bufferedBytesMax = bufferedBytesMax;
  }

  open(start: (connection: Link) => ConnectionHandlers): void {
    this.#handlers = start(this);
    const side: ClientSide = {
      send: (message) => this.#toServer(Buffer.from(JSON.stringify(message))),
      leave: () => this.cut(),
    };
    this.#simulator.after(0.1, () => {
      if (this.#state === 'open') this.#client.opened(side);
    });
  }

  send(texts: readonly Uint8Array[]): number {
    if (this.#state !== 'open') return 0;
    let taken = 0;
    for (const bytes of texts) {
      if (this.bufferedBytes > this.#bufferedBytesMax) break;
      taken += 1;
      this.bufferedBytes += bytes.length;
      this.#arrive(() => {
        this.bufferedBytes -= bytes.length;
        this.#client.message(Buffer.from(bytes).toString());
        if (this.#random.chance(this.#weather().connectionCut)) this.cut();
        else if (this.#owner.alive && this.#state === 'open') this.#handlers?.drained();
      });
    }
    return taken;
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#arrive(() => {
      this.#state = 'cut';
      this.gone();
      this.#client.closed(code, reason);
    });
    this.#handlers?.closed();
  }

  /** What is on its way is lost, on both sides. */
  cut(): void {
    if (this.#state === 'cut') return;
    const wasOpen = this.#state === 'open';
    this.#state = 'cut';
    this.gone();
    this.#simulator.after(this.#random.between(0.1, 200), () => this.#client.closed(1006, ''));
    if (!wasOpen) return;
    this.#simulator.after(this.#random.between(0.1, 200), () => this.#handlers?.closed(), this.#owner);
  }

  #arrive(work: () => void): void {
    const { slow, slowWatcher } = this.#weather();
    const isSlow = this.#random.chance(slow) || this.#random.chance(slowWatcher);
    const wayMs = isSlow ? this.#random.between(5, 800) : this.#random.between(0.1, 5);
    this.#arrivesAt = Math.max(this.#arrivesAt, this.#simulator.now + wayMs);
    this.#simulator.after(this.#arrivesAt - this.#simulator.now, () => {
      if (this.#state !== 'cut') work();
    });
  }

  #toServer(bytes: Buffer): void {
    if (this.#state !== 'open') return;
    this.#saysAt = Math.max(this.#saysAt, this.#simulator.now + this.#random.between(0.1, 5));
    this.#simulator.after(
      this.#saysAt - this.#simulator.now,
      () => {
        if (this.#state === 'open') this.#handlers?.message(bytes, false);
      },
      this.#owner,
    );
  }
}
