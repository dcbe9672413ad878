// What a recorded program says of itself: its turns, one JSON line each, for tests/recordings/javascript.py.
//
//   const turns = new Turns();                        // turns.watcher is a span processor
//   await turns.turn({ session: "chat-1", user: "ada", said: "Hello" }, async (turn) => {
//     turn.answer = await ask("Hello");
//   });
//
// `new Turns(["cache_read_tokens"])` names the parts of the usage that the SDK exports, of those in truth.py.
// The trace of a turn is the one that begins while the turn lasts; a program that knows it from its SDK sets
// `trace_id`.

import { appendFileSync, readFileSync } from "node:fs";

export class Turns {
  #begun = [];
  #details;

  constructor(details = null) {
    this.#details = details;
  }

  /** Notes the traces that begin; give it to the SDK's tracer provider. */
  watcher = {
    onStart: (span) => {
      const parent = span.parentSpanContext?.spanId ?? span.parentSpanId;
      if (!parent) this.#begun.push(span.spanContext().traceId);
    },
    onEnd: () => {},
    forceFlush: async () => {},
    shutdown: async () => {},
  };

  /**
   * A turn lasts as long as `body`. One that `fails` may end in any error. `body` gets the turn, to set its
   * `answer` (what the program got in the end) and `unread`: of how many of its last calls the SDK can't know
   * the usage, because they broke off before the server told it, or doesn't write it, by its source. Where the SDK makes one span
   * of several calls, `calls_are_told` is false.
   */
  async turn({ session, user = null, tags = [], said, fails = false }, body) {
    const turn = {
      session_id: session,
      said,
      said_is_told: true,
      calls_are_told: true,
      user_id: user,
      tags,
      fails,
      answer: "",
      unread: 0,
      details: this.#details,
      first_call: lineCount(),
    };
    this.#begun.length = 0;
    try {
      await body(turn);
    } catch (error) {
      if (!fails) throw error;
      console.log(`failed as it should: ${error.name}`);
    }
    turn.end_call = lineCount();
    if (!turn.trace_id) {
      if (this.#begun.length !== 1) throw new Error(`${said}: traces ${this.#begun}`);
      turn.trace_id = this.#begun[0];
    }
    appendFileSync(process.env.RECORDING_TURNS, JSON.stringify(turn) + "\n");
  }
}

function lineCount() {
  return readFileSync(process.env.RECORDING_CALLS, "utf8").split("\n").length - 1;
}
