// Stand-ins for the browser: a clock that is wound by hand, and a WebSocket whose other end is the test.

export class FakeClock {
  #now = 0;
  #timers = new Map();
  #next = 1;

  now = () => this.#now;

  setTimeout = (f, delay) => {
    this.#timers.set(this.#next, { f, at: this.#now + delay });
    return this.#next++;
  };

  clearTimeout = (id) => this.#timers.delete(id);

  /** Lets ms pass; between two timers, promises settle. */
  async pass(ms) {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].f();
      await settle();
    }
    this.#now = end;
  }

  get pending() {
    return this.#timers.size;
  }
}

/** Lets promises settle. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Makes a WebSocket class and the list of its instances; each keeps what it was sent. */
export function fakeSockets() {
  const sockets = [];
  class FakeSocket {
    sent = [];
    closedWith = null;

    constructor(url) {
      this.url = url;
      sockets.push(this);
    }

    send(text) {
      this.sent.push(text);
    }

    close(code) {
      this.closedWith ??= code;
    }

    // The other end:
    open() {
      this.onopen({});
    }

    say(data) {
      this.onmessage?.({ data });
    }

    drop(code) {
      this.onclose?.({ code });
    }
  }
  return { WebSocket: FakeSocket, sockets, last: () => sockets.at(-1) };
}
