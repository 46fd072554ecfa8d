// The list of cameras, where there are several: which of them the address means, and how each does.

import { browserClock } from "./signalling.js";

const EVERY = 5_000; // ms between two questions
const WORDS = { starting: "starting", idle: "ready", live: "live", lost: "no picture", away: "no camera" };

/** The camera that an address's query names, or null. */
export function named(query) {
  return new URLSearchParams(query).get("camera") || null;
}

/**
 * What each link says and leads to; `states` are those that the board tells, by name, as far as they are known, and `reasons` tell
 * why a camera gives no picture.
 */
export function links(names, current, states = {}, reasons = {}) {
  return names.map((name) => ({
    name,
    href: `?camera=${encodeURIComponent(name)}`,
    current: name === current,
    state: states[name] ?? "unknown",
    words: WORDS[states[name]] ?? "",
    ...(reasons[name] ? { reason: reasons[name] } : {}),
  }));
}

/** The states in an answer of the board, by name; without any in one that is none. An only camera has the name "". */
export function statesOf(status) {
  return Object.fromEntries((status?.cameras ?? []).map(({ name, state }) => [name, state]));
}

/** Why cameras of an answer give no picture, or one of a lesser mode, by name. */
export function reasonsOf(status) {
  return Object.fromEntries(
    (status?.cameras ?? [])
      .filter(({ reason }) => reason)
      .map(({ name, reason }) => [name, reason]),
  );
}

/** What the page says of a camera beside its picture; nothing where all is as it should be. */
export function sentence(state, reason) {
  if (!reason) return "";
  return state === "away" || state === "lost" ? `No picture: ${reason}` : `Lesser picture: ${reason}`;
}

/**
 * Asks for the states again and again, and says them. Options:
 *   ask()          the board's answer, as a promise; when it fails, nothing is known
 *   changed(states, reasons)
 *   hidden()       whether nobody can see the page: then nothing is asked
 */
export class Watch {
  #options;

  constructor(options) {
    this.#options = { clock: browserClock, ...options };
  }

  async start() {
    const { ask, changed, hidden, clock } = this.#options;
    if (!hidden()) {
      const status = await ask().catch(() => null);
      changed(statesOf(status), reasonsOf(status));
    }
    clock.setTimeout(() => this.start(), EVERY);
  }
}
