import WebSocket from 'ws';

type Message = Readonly<Record<string, { readonly code?: string; readonly topic?: string } & Record<string, unknown>>>;

/** A connection to the stream door. */
export class StreamConnection {
  readonly #socket: WebSocket;
  readonly messages: Message[] = [];
  readonly closed: Promise<number>;
  #waiting: (() => void)[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()) as Message);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.closed = new Promise((resolve) =>
      socket.once('close', (code) => {
        resolve(code);
        for (const wake of this.#waiting.splice(0)) wake();
      }),
    );
  }

  /** The connection, or the status with which it was refused. */
  static async open(url: string, headers: Readonly<Record<string, string>>): Promise<StreamConnection | number> {
    const socket = new WebSocket(url, 'kora.v1', { headers });
    const connection = new StreamConnection(socket);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(connection));
      socket.once('unexpected-response', (_request, response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
        socket.terminate();
      });
      socket.on('error', reject);
    });
  }

  static async must(url: string, headers: Readonly<Record<string, string>>): Promise<StreamConnection> {
    const opened = await StreamConnection.open(url, headers);
    if (typeof opened === 'number') throw new Error(`the stream was refused with ${opened}`);
    return opened;
  }

  send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** The first message, from here on, that is about the topic. */
  async about(topic: string): Promise<Message> {
    for (let seen = 0; ; seen++) {
      while (this.messages.length <= seen) {
        if (this.#socket.readyState === WebSocket.CLOSED) throw new Error(`closed without a word about ${topic}`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      const message = this.messages[seen];
      if (message !== undefined && Object.values(message).some((value) => value.topic === topic)) return message;
    }
  }

  close(): void {
    this.#socket.terminate();
  }
}
