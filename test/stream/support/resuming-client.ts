import { WebSocket } from 'ws';
import type { ReceivedEvent, ReceivedSnapshot } from './client.ts';
import { StreamClient } from './client.ts';

interface Kept {
  /** Where the client is on this topic; undefined before it knows. */
  position: number | undefined;
  /** It has caught up on this connection. */
  live: boolean;
  snapshot: ReceivedSnapshot | undefined;
  readonly events: ReceivedEvent[];
}

/** A client as docs/stream.md tells people to write it: keeps a position per topic, and resumes from it. */
export class ResumingClient {
  readonly topics = new Map<string, Kept>();
  /** How its connections ended. */
  readonly endings: number[] = [];
  #client: StreamClient | undefined;
  #port = 0;
  #read = 0;

  watch(topic: string, position?: number): void {
    this.topics.set(topic, { position, live: false, snapshot: undefined, events: [] });
    if (this.#client?.socket.readyState === WebSocket.OPEN) this.#client.subscribe(topic, position);
  }

  async connect(port: number): Promise<void> {
    this.#port = port;
    this.#client = await StreamClient.connect(port);
    this.#read = 0;
    for (const [topic, kept] of this.topics) {
      kept.live = false;
      this.#client.subscribe(topic, kept.position);
    }
  }

  /** Takes nothing from the socket for a while, or goes on. */
  reads(on: boolean): void {
    if (this.#client?.socket.readyState !== WebSocket.OPEN) return;
    if (on) this.#client.socket.resume();
    else this.#client.socket.pause();
  }

  /** Breaks the connection; what has arrived by then counts, the rest never came. */
  async cut(): Promise<void> {
    this.#client?.socket.terminate();
    await this.gone();
  }

  /** Waits for the end of the connection, and takes in what the server said with it. */
  async gone(): Promise<{ code: number; reason: string } | undefined> {
    const ended = await this.#client?.closed;
    this.#takeIn();
    this.#client = undefined;
    if (ended !== undefined) this.endings.push(ended.code);
    if (ended === undefined || !ended.reason.startsWith('{')) return ended;
    const { after } = JSON.parse(ended.reason) as { after?: number };
    if (after === undefined) return ended;
    for (const kept of this.topics.values()) {
      if (kept.live) kept.position = Math.max(kept.position ?? 0, after);
    }
    return ended;
  }

  /** Waits until what it has is enough, and comes back as often as it is sent away. */
  async until(satisfied: () => boolean): Promise<void> {
    this.#takeIn();
    while (!satisfied()) {
      if (this.#client === undefined) throw new Error('not connected');
      if (this.#client.socket.readyState === WebSocket.CLOSED) {
        await this.gone();
        await this.connect(this.#port);
      } else {
        await this.#client.changed();
      }
      this.#takeIn();
    }
  }

  #takeIn(): void {
    const received = this.#client?.received ?? [];
    for (; this.#read < received.length; this.#read++) {
      const { unit, snapshot, live, error } = received[this.#read] ?? {};
      if (error !== undefined) throw new Error(`${error.code}: ${error.message}`);
      const kept = this.topics.get((unit ?? snapshot ?? live)?.topic ?? '');
      const position = (unit ?? snapshot ?? live)?.position;
      if (kept === undefined || position === undefined) continue;
      if (snapshot !== undefined) kept.snapshot = snapshot;
      kept.live ||= unit === undefined;
      if (unit !== undefined) kept.events.push(...unit.events);
      kept.position = Math.max(kept.position ?? 0, position);
    }
  }
}
