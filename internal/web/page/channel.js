// Requests and answers as JSON over the data channel.

import { browserClock } from "./signalling.js";

const TIMEOUT = 10_000;

/** Asks the streamer questions over one RTCDataChannel; text that is no answer of ours is ignored. */
export class Requests {
  greeting = null; // what the streamer said at open, null until then
  channel;
  talk = () => {}; // called with {state, reason}: what becomes of our voice
  #clock;
  #pending = new Map();
  #nextID = 1;

  constructor(channel, clock = browserClock) {
    this.channel = channel;
    this.#clock = clock;
    channel.addEventListener("message", ({ data }) => typeof data === "string" && this.#receive(data));
    channel.addEventListener("close", () => this.close());
  }

  /** Resolves with the result; rejects with the streamer's error, when the channel closes, or after ten seconds. */
  request(method, params = {}) {
    if (this.channel.readyState !== "open") return Promise.reject(new Error("the data channel is not open"));
    const id = this.#nextID++;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimeout(() => this.#settle(id, "reject", new Error(`no answer to ${method}`)), TIMEOUT);
      this.#pending.set(id, { resolve, reject, timer });
      this.channel.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Rejects what is still open. */
  close() {
    for (const id of [...this.#pending.keys()]) this.#settle(id, "reject", new Error("the data channel closed"));
  }

  #settle(id, how, value) {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    this.#clock.clearTimeout(pending.timer);
    pending[how](value);
  }

  #receive(text) {
    let answer;
    try {
      answer = JSON.parse(text);
    } catch {
      return; // other streamers of the family greet in plain words
    }
    if (answer?.hello !== undefined) this.greeting = answer;
    else if (typeof answer?.talk?.state === "string") this.talk(answer.talk);
    else if (answer?.error) this.#settle(answer.id, "reject", new Error(String(answer.error.message ?? "error")));
    else this.#settle(answer?.id, "resolve", answer?.result);
  }
}
