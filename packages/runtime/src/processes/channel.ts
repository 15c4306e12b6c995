/** One end of a pair that exchange messages, as `process` in a child and a `Worker` in its parent. */
export type Peer = {
  send(message: object): unknown;
  on(event: 'message', read: (message: unknown) => void): unknown;
  isConnected(): boolean;
};

/** Questions and answers between a process and one of its children. */
export type Channel = {
  /** Rejects when there is no answer within `withinMs`, or the peer is gone. */
  ask(question: string, withinMs: number): Promise<unknown>;
  /** Answers the question from now on; what `answer` throws is told as a failure without its text. */
  answer(question: string, answer: () => unknown): void;
};

type Message =
  | { readonly pinegate: 'ask'; readonly id: number; readonly question: string }
  | { readonly pinegate: 'answer'; readonly id: number; readonly value?: unknown; readonly failed: boolean };

/** Opens a channel over a peer's messages; other messages pass by. */
export function createChannel(peer: Peer): Channel {
  const answers = new Map<string, () => unknown>();
  const asked = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let lastId = 0;

  async function reply(id: number, question: string): Promise<void> {
    let message: Message;
    try {
      const answer = answers.get(question);
      if (answer === undefined) throw new Error('nobody answers this here');
      message = { pinegate: 'answer', id, value: await answer(), failed: false };
    } catch {
      message = { pinegate: 'answer', id, failed: true };
    }
    if (peer.isConnected()) peer.send(message);
  }

  peer.on('message', (received) => {
    const message = received as Partial<Message> | null;
    if (message?.pinegate === 'ask') void reply(message.id ?? 0, message.question ?? '');
    if (message?.pinegate !== 'answer') return;
    const waiting = asked.get(message.id ?? 0);
    if (message.failed) waiting?.reject(new Error('the other process could not answer'));
    else waiting?.resolve(message.value);
  });

  return {
    async ask(question, withinMs) {
      if (!peer.isConnected()) throw new Error('the other process is gone');
      const id = ++lastId;
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      asked.set(id, { resolve, reject });
      const late = setTimeout(() => reject(new Error(`no answer to ${question} in time`)), withinMs);
      peer.send({ pinegate: 'ask', id, question } satisfies Message);
      try {
        return await promise;
      } finally {
        clearTimeout(late);
        asked.delete(id);
      }
    },
    answer(question, answer) {
      answers.set(question, answer);
    },
  };
}
