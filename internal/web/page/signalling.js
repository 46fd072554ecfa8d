// The client side of the HELLO/SESSION protocol: registers, calls one peer, carries the messages of the session, and
// comes back by itself when the socket is lost. It knows nothing of media: losing the socket ends no picture.

import * as messages from "./messages.js";

const REPLY_TIMEOUT = 10_000; // ms for a socket to open, and for HELLO and SESSION to be answered
const STABLE = 5_000; // ms after which a registration counts as a success

export const browserClock = {
  now: () => performance.now(),
  setTimeout: (f, ms) => setTimeout(f, ms),
  clearTimeout: (id) => clearTimeout(id),
};

/**
 * Waiting times in ms: growing to `max` and staying there for `patience` attempts, minutes, so that a board that
 * restarts is found within a second, then growing to `slowest`. Jitter takes off up to half, so that many pages do not come back
 * in step.
 */
export class Backoff {
  #attempt = 0;
  #options;

  constructor(options = {}) {
    this.#options = { first: 300, factor: 1.7, max: 1000, patience: 300, slowest: 5000, random: Math.random, ...options };
  }

  next() {
    const { first, factor, max, patience, slowest, random } = this.#options;
    const attempt = this.#attempt++;
    const delay =
      attempt < patience ? Math.min(max, first * factor ** attempt) : Math.min(slowest, max * factor ** (attempt - patience));
    return delay * (1 - random() / 2);
  }

  reset() {
    this.#attempt = 0;
  }
}

/** An id that is unlikely to be taken, new for every registration: a dead socket keeps its id for a while. */
export function randomID(crypto = globalThis.crypto) {
  const [n] = crypto.getRandomValues(new Uint32Array(1));
  return `viewer-${n.toString(16).padStart(8, "0")}`;
}

/**
 * The states are "stopped", "waiting" (for the next attempt), "connecting", "registering", "registered", "calling" and
 * "session". Events, each a function in `on`:
 *   state(state)              after every change
 *   session()                 the peer is ours: messages may be sent
 *   message(message)          "sdp", "ice" or "offer-request" from the peer
 *   error({reason, text})     "not-found" and "busy" are tried again by itself, as is "refused" (no socket can be made);
 *                             "peer" is why the peer ends the session, "other" whatever else the server said
 *   lost({code, inSession})   the socket closed; a new one is opened. Code 1000 in a session: the partner hung up
 */
export class Signalling {
  state = "stopped";
  #options;
  #on;
  #clock;
  #backoff;
  #socket = null;
  #timer = null;
  #wanted = false;
  #registeredAt = 0;

  /**
   * @param {{url: string, peer: string, on: object, WebSocket?: typeof WebSocket, clock?: object, id?: () => string,
   *   random?: () => number, reachable?: () => Promise<boolean>}} options `reachable` is asked before each new attempt:
   *   browsers delay WebSockets to a server that failed before, so a dead one is better not tried.
   */
  constructor(options) {
    this.#options = { WebSocket: globalThis.WebSocket, id: randomID, reachable: async () => true, ...options };
    this.#on = options.on;
    this.#clock = options.clock ?? browserClock;
    this.#backoff = new Backoff({ random: options.random ?? Math.random });
  }

  start() {
    if (this.state === "stopped") this.#connect();
  }

  stop() {
    this.#drop();
    this.#set("stopped");
  }

  /** Asks for a session, a new one if there is one, `delay` ms from now. */
  call(delay = 0) {
    this.#wanted = true;
    switch (this.state) {
      case "registered":
        this.#after(delay, () => this.#session());
        break;
      case "calling":
      case "session": // only a new registration leaves a session
        this.#reconnect(delay);
        break;
    }
  }

  /** Asks for no session from now on: the media of the last one live without. */
  rest() {
    this.#wanted = false;
  }

  /** Sends to the peer; says whether there is a session to send it in. */
  send(text) {
    if (this.state !== "session") return false;
    this.#socket.send(text);
    return true;
  }

  /** Does at once what waits for its time: the network is back, or someone looks at the page again. */
  wake() {
    if (this.state === "waiting") this.#attempt();
    if (this.state === "registered" && this.#wanted) this.#session();
  }

  /** The session has proved itself: the next failure is a first one. */
  settled() {
    this.#backoff.reset();
  }

  #set(state) {
    this.state = state;
    this.#on.state(state);
  }

  #after(delay, f) {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(f, delay);
  }

  #connect() {
    const socket = this.#open();
    if (!socket) return;
    this.#socket = socket;
    const current = (f) => (event) => this.#socket === socket && f(event);
    socket.onopen = current(() => this.#register());
    socket.onmessage = current(({ data }) => typeof data === "string" && this.#receive(messages.parse(data)));
    socket.onclose = current(({ code }) => this.#lost(code));
    this.#after(REPLY_TIMEOUT, () => this.#lost(1006));
    this.#set("connecting");
  }

  #open() {
    try {
      return new this.#options.WebSocket(this.#options.url);
    } catch (error) {
      this.#on.error({ reason: "refused", text: error.message });
      this.#reconnect(this.#backoff.next());
      return null;
    }
  }

  #register() {
    this.#socket.send(messages.hello(this.#options.id()));
    this.#after(REPLY_TIMEOUT, () => this.#lost(1006));
    this.#set("registering");
  }

  #session() {
    this.#socket.send(messages.session(this.#options.peer));
    this.#after(REPLY_TIMEOUT, () => this.#lost(1006));
    this.#set("calling");
  }

  #receive(message) {
    const handlers = {
      registering: { hello: () => this.#registered(), error: () => this.#refused(message) },
      calling: { "session-ok": () => this.#joined(), error: () => this.#refused(message) },
      session: {
        sdp: () => this.#on.message(message),
        ice: () => this.#on.message(message),
        "offer-request": () => this.#on.message(message),
        error: () => this.#on.error({ ...message, reason: "peer" }),
      },
    };
    handlers[this.state]?.[message.type]?.();
  }

  #registered() {
    this.#clock.clearTimeout(this.#timer);
    this.#registeredAt = this.#clock.now();
    this.#set("registered");
    // The listener may have asked for a session itself.
    if (this.#wanted && this.state === "registered") this.#session();
  }

  #joined() {
    this.#clock.clearTimeout(this.#timer);
    this.#set("session");
    this.#on.session();
  }

  /** An ERROR in answer to HELLO or SESSION: the latter may be asked again on the same socket. */
  #refused(error) {
    const wasCalling = this.state === "calling";
    this.#on.error(error);
    if (this.state === "stopped") return;
    if (!wasCalling || error.reason === "other") {
      this.#reconnect(this.#backoff.next());
      return;
    }
    this.#set("registered");
    this.#after(this.#backoff.next(), () => this.#session());
  }

  #lost(code) {
    const inSession = this.state === "session";
    const wasRegistered = inSession || this.state === "registered" || this.state === "calling";
    if (wasRegistered && this.#clock.now() - this.#registeredAt > STABLE) this.#backoff.reset();
    this.#drop();
    this.#set("waiting");
    this.#on.lost({ code, inSession });
    if (this.state === "waiting") this.#after(this.#backoff.next(), () => this.#attempt());
  }

  #reconnect(delay) {
    this.#drop();
    this.#set("waiting");
    this.#after(delay, () => this.#attempt());
  }

  async #attempt() {
    this.#clock.clearTimeout(this.#timer);
    if (this.state !== "waiting") return;
    this.#set("connecting");
    const reachable = await this.#options.reachable();
    if (this.state !== "connecting" || this.#socket) return;
    if (reachable) this.#connect();
    else this.#lost(1006);
  }

  #drop() {
    this.#clock.clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(1000);
    }
  }
}
