// The list of cameras, where there are several: which of them the address means, and how each does.

import { browserClock } from "./signalling.js";

const EVERY = 5_000; // ms between two questions
const WORDS = { starting: "starting", idle: "ready", live: "live", lost: "no picture" };

/** The camera that an address's query names, or null. */
export function named(query) {
  return new URLSearchParams(query).get("camera") || null;
}

/** What each link says and leads to; `states` are those that the board tells, by name, as far as they are known. */
export function links(names, current, states = {}) {
  return names.map((name) => ({
    name,
    href: `?camera=${encodeURIComponent(name)}`,
    current: name === current,
    state: states[name] ?? "unknown",
    words: WORDS[states[name]] ?? "",
  }));
}

/** The states in an answer of the board, by name; without any in one that is none. */
export function statesOf(status) {
  return Object.fromEntries((status?.cameras ?? []).map(({ name, state }) => [name, state]));
}

/**
 * Asks for the states again and again, and says them. Options:
 *   ask()          the board's answer, as a promise; when it fails, nothing is known
 *   changed(states)
 *   hidden()       whether nobody can see the page: then nothing is asked
 */
export class Watch {
  #options;

  constructor(options) {
    this.#options = { clock: browserClock, ...options };
  }

  async start() {
    const { ask, changed, hidden, clock } = this.#options;
    if (!hidden()) changed(statesOf(await ask().catch(() => null)));
    clock.setTimeout(() => this.start(), EVERY);
  }
}
