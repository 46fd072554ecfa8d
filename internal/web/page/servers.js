// The STUN and TURN servers of a session. Credentials for TURN end, while a page may stay open for weeks.

const FRESH = 5_000; // ms, under the shortest life of credentials: a first session, and tries in a row, use what the page was given

/** Keeps the servers. `ask` fetches them anew, and `now` is the time in ms, also of a machine that slept meanwhile. */
export class Servers {
  list;
  #ask;
  #now;
  #at;

  /** @param {RTCIceServer[]} list @param {() => Promise<RTCIceServer[]>} ask */
  constructor(list, ask, now = Date.now) {
    this.list = list;
    this.#ask = ask;
    this.#now = now;
    this.#at = now();
  }

  /** Asks for new servers where those at hand are old and hold a credential. @returns {Promise<RTCIceServer[]>?} */
  renew() {
    if (this.#now() - this.#at < FRESH || !this.list.some((server) => server.credential)) return null;
    return this.#ask().then((list) => {
      this.#at = this.#now();
      if (list.length > 0) this.list = list; // an answer that failed has none
      return this.list;
    });
  }
}
