// A viewer whose signalling and players are worked by the test.

import assert from "node:assert/strict";

import { Viewer } from "../page/viewer.js";
import { FakeClock } from "./fakes.js";

class FakeSignalling {
  state = "stopped";
  calls = []; // the delays asked for
  sent = [];
  rested = 0;
  settledTimes = 0;

  constructor(on) {
    this.on = on;
  }

  go(state) {
    this.state = state;
    this.on.state(state);
  }

  start() {
    this.go("connecting");
  }

  stop() {
    this.go("stopped");
  }

  call(delay = 0) {
    this.calls.push(delay);
  }

  rest() {
    this.rested++;
  }

  settled() {
    this.settledTimes++;
  }

  send(text) {
    this.sent.push(text);
    return true;
  }
}

class FakePlayer {
  connected = false;
  canTalk = false;
  videoRefused = false;
  channel = null;
  closed = false;
  received = [];
  sample = { framesDecoded: 0, audioPackets: 0, width: null, height: null, codec: null, received: null };
  videoTracks = [{}];
  stream = { getVideoTracks: () => this.videoTracks };

  constructor(on, send) {
    this.on = on;
    this.send = send;
  }

  receive(message) {
    this.received.push(message);
  }

  async stats() {
    return this.closed ? null : { ...this.sample };
  }

  close() {
    this.closed = true;
  }

  connect() {
    this.connected = true;
    this.on.connection("connected");
  }

  /** From now on the bytes that come in are told, and the streamer can be asked: the list of what answers each question. */
  tells(received) {
    const asked = [];
    this.sample.received = received;
    this.channel = { readyState: "open" };
    this.requests = { request: () => new Promise((resolve) => asked.push(resolve)) };
    return asked;
  }

  /** Some frames have come. */
  frames(n) {
    this.sample = { ...this.sample, framesDecoded: this.sample.framesDecoded + n, width: 640, height: 480, codec: "H264" };
  }
}

/** A started viewer on fakes. */
export function make(options = {}) {
  const made = { clock: new FakeClock(), players: [] };
  made.viewer = new Viewer({
    peer: "camera",
    signalling: (on) => (made.signalling = new FakeSignalling(on)),
    player: (on, send) => {
      made.players.push(new FakePlayer(on, send));
      return made.players.at(-1);
    },
    changed: () => {},
    tracks: () => {},
    clock: made.clock,
    random: () => 0,
    ...options,
  });
  made.viewer.start();
  return made;
}

/** Goes through the signalling up to a session. */
export function session(made) {
  for (const state of ["connecting", "registering", "registered", "calling", "session"]) made.signalling.go(state);
  made.signalling.on.session();
  return made.players.at(-1);
}

/** Goes on up to the first frame. */
export async function playing(options) {
  const made = make(options);
  const player = session(made);
  player.connect();
  player.frames(1);
  made.viewer.frameShown();
  await made.clock.pass(0);
  assert.equal(made.viewer.state, "playing");
  return { ...made, player };
}
