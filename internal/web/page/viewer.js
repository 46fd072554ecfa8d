// Joins the signalling and the player: which of them to start anew and when, and what the viewer is told meanwhile.
// No DOM here.

import * as messages from "./messages.js";
import { Backoff, browserClock } from "./signalling.js";
import { FrameRate, Liveness } from "./stats.js";

const CONNECT_LIMIT = 20_000; // ms from SESSION_OK to a connection: a slow board makes its key first
const FIRST_FRAME_LIMIT = 10_000; // ms of silence after the connection
// ms of silence in a picture that had moved. A viewer on a very slow link gets a keyframe each 4 to 5 s, which takes up to 4 s to come
// (keyframesOnlyPeriod and longestPause of the streamer): that is no silence. A path that is gone is noticed sooner, by PATH_LIMIT.
const SILENCE_LIMIT = 10_000;
const PATH_LIMIT = 2_500; // ms in which nothing at all comes in, though the streamer was asked
const FAREWELL_LIMIT = 2_000; // the same, when the streamer has closed the data channel
const STABLE = 10_000; // ms of playing after which a failure is a first one
const TICK = 1_000;
const QUICK_TICK = 250; // while nothing comes in

const LOCKED_CODE = 4401; // of a socket that the server closes because the key is not right any more
const REFUSED = "This browser cannot play the camera's video format";
const LOCKED = "This page is locked: its key was changed, was taken away or has expired";

/**
 * Keeps one peer playing. `state` is "connecting", "calling", "waiting", "playing", "reconnecting", "busy", "error" or "locked",
 * `text` the same in words; `player` the running session's, or null. Options:
 *   peer         whom to call
 *   signalling   (on) => Signalling
 *   player       (on, send) => Player
 *   changed()    state, text or what the player can do has changed
 *   tracks(stream)  a picture or a sound to show
 *   hidden()     whether nobody can see the page: browsers then stop decoding, which is no failure
 */
export class Viewer {
  state = "connecting";
  text = "Connecting to the camera…";
  player = null;
  sample = null; // the latest statistics, once a second
  timings = { opened: null, connected: null, firstFrame: null };
  #options;
  #clock;
  #signalling;
  #backoff;
  #liveness = new Liveness();
  #path = new Liveness();
  #quiet = 0; // ms in which nothing has come in
  #answers = 0; // to what was asked because of that
  #frameRate = new FrameRate();
  #tick = null;
  #deadline = null;
  #openedAt = null;
  #playedBefore = false;

  constructor(options) {
    this.#options = { hidden: () => false, clock: browserClock, random: Math.random, ...options };
    this.#clock = this.#options.clock;
    this.#backoff = new Backoff({ max: 5000, random: this.#options.random });
    this.#signalling = options.signalling({
      state: (state) => this.#signallingState(state),
      session: () => this.#begin(),
      message: (message) => this.player?.receive(message),
      error: (error) => this.#error(error),
      lost: (loss) => this.#lost(loss),
    });
  }

  get signallingState() {
    return this.#signalling.state;
  }

  start() {
    this.#signalling.call();
    this.#signalling.start();
    this.#schedule();
  }

  stop() {
    this.#clock.clearTimeout(this.#tick);
    this.#tick = null;
    this.#end();
    this.#signalling.stop();
  }

  wake() {
    this.#signalling.wake();
  }

  /** The key is not right any more: the picture goes, and nothing is tried again. */
  lock() {
    this.stop();
    this.#say("locked", LOCKED);
  }

  /** The picture of the running session is on the screen. */
  frameShown() {
    if (this.player?.connected) this.#playing();
  }

  #say(state, text) {
    if (this.state === state && this.text === text) return;
    this.state = state;
    this.text = text;
    this.#options.changed();
  }

  #signallingState(state) {
    if (state === "registering") this.#openedAt = this.#clock.now();
    if (this.player) return; // the media have the word
    if (state === "connecting" && !this.#unsettled()) {
      if (this.#playedBefore) this.#say("reconnecting", this.#reconnectingText());
      else if (this.state !== "connecting") this.#say("connecting", "Connecting to the camera…");
    }
    if (state === "calling" && !this.#unsettled()) this.#say("calling", "Calling the camera…");
  }

  /** Words that stay up while the attempts they speak of go on. */
  #unsettled() {
    return this.state === "waiting" || this.state === "busy" || this.state === "error";
  }

  #reconnectingText() {
    return this.state === "reconnecting" ? this.text : "The connection is lost. Reconnecting…";
  }

  #begin() {
    this.#end();
    this.timings = { opened: this.#openedAt, connected: null, firstFrame: null };
    this.#say("calling", "Waiting for the picture…");
    this.#after(CONNECT_LIMIT, () => this.#again("reconnecting", "The camera could not be reached. Trying again…"));
    const guard = (f) => (value) => this.player === player && f(value);
    let player;
    try {
      player = this.#options.player(
        {
          connection: guard((state) => this.#connection(state)),
          tracks: guard((stream) => this.#options.tracks(stream)),
          offer: guard(() => this.#offered()),
          failed: guard((error) => this.#again("error", `The browser cannot play this camera: ${error.message}`)),
        },
        (text) => this.player === player && this.#signalling.send(text),
      );
    } catch (error) {
      this.#again("error", `The browser cannot play this camera: ${error.message}`);
      return;
    }
    this.player = player;
    this.#signalling.send(messages.OFFER_REQUEST);
  }

  #connection(state) {
    if (state === "connected" && this.timings.connected === null) {
      this.timings.connected = this.#clock.now();
      this.#clock.clearTimeout(this.#deadline);
      this.#liveness = new Liveness();
      this.#path = new Liveness();
      this.#frameRate = new FrameRate();
    }
    if (state === "failed" || state === "closed") {
      this.#again("reconnecting", "The connection to the camera is lost. Reconnecting…");
    }
    this.#options.changed();
  }

  #offered() {
    if (this.player.videoRefused && this.state === "calling") this.#say("calling", REFUSED);
    this.#options.changed();
  }

  #playing() {
    if (this.timings.firstFrame === null) {
      this.timings.firstFrame = this.#clock.now();
      this.#after(STABLE, () => this.#settled());
      this.#look(); // the size and the codec, before the next tick
    }
    this.#playedBefore = true;
    this.#say("playing", playingText(this.sample, this.player.videoRefused));
  }

  #settled() {
    this.#backoff.reset();
    this.#signalling.settled();
  }

  #schedule() {
    this.#tick = this.#clock.setTimeout(async () => {
      await this.#look();
      if (this.#tick !== null) this.#schedule();
    }, this.#quiet > 0 ? QUICK_TICK : TICK);
  }

  /** Takes the statistics and judges by them whether the media live. */
  async #look() {
    const player = this.player;
    const sample = await player?.stats().catch(() => null);
    if (!sample || player !== this.player || !player.connected) return;
    const now = this.#clock.now();
    this.sample = { ...sample, framesPerSecond: this.#frameRate.measure(sample.framesDecoded, now) };
    const arrived = player.stream.getVideoTracks().length > 0 ? sample.framesDecoded : sample.audioPackets;
    if (arrived > 0) this.#playing();
    if (this.#options.hidden()) this.#liveness = new Liveness();
    else if (this.#liveness.silence(arrived, now) >= this.#patience()) {
      this.#again("reconnecting", "The picture has stopped. Reconnecting…");
      return;
    }
    this.#lookAtPath(player, sample.received, now);
  }

  /**
   * A picture may stand still for many reasons. When nothing at all comes in, not even an answer to a question, the
   * way is gone: an address has changed, say. Browsers take twice as long to say so.
   */
  #lookAtPath(player, received, now) {
    this.#quiet = 0;
    if (received === null || player.channel?.readyState !== "open") return;
    this.#quiet = this.#path.silence(received + this.#answers, now);
    if (this.#quiet >= PATH_LIMIT) {
      this.#again("reconnecting", "The camera is not reached any more. Reconnecting…");
    } else if (this.#quiet > 0) {
      player.requests.request("ping").then(
        () => this.#answers++,
        () => {}, // the silence says it
      );
    }
  }

  #patience() {
    if (this.timings.firstFrame === null) return FIRST_FRAME_LIMIT;
    return this.player.channel?.readyState === "closed" ? FAREWELL_LIMIT : SILENCE_LIMIT;
  }

  #error({ reason, text }) {
    if (this.player?.connected) return; // the picture goes on
    const peer = this.#options.peer;
    const words = {
      "not-found": ["waiting", `No camera is registered as '${peer}' yet, trying again`],
      busy: ["busy", `The camera '${peer}' is busy with other viewers, trying again`],
      refused: ["error", `The signalling server cannot be used: ${text}`],
      peer: ["error", `The camera refuses this browser: ${text}`],
      other: ["error", `The signalling server says: ${text}`],
    };
    this.#say(...words[reason]);
    if (this.player) this.#again(this.state, this.text);
  }

  /** The socket is gone. The media have a life of their own, unless the partner ended the session in order. */
  #lost({ code, inSession }) {
    if (code === LOCKED_CODE) {
      this.lock();
      return;
    }
    const hungUp = inSession && code === 1000;
    if (this.player?.connected && !hungUp) {
      this.#signalling.rest();
      return;
    }
    this.#end();
    this.#signalling.call();
    if (hungUp) this.#say("reconnecting", "The camera has ended the session. Calling again…");
    else if (this.#playedBefore) this.#say("reconnecting", this.#reconnectingText());
    else this.#say("connecting", "The server does not answer yet, trying again");
  }

  /** Gives the session up and asks for a new one, later each time. */
  #again(state, text) {
    this.#end();
    this.#say(state, text);
    this.#signalling.call(this.#backoff.next());
  }

  #end() {
    this.#clock.clearTimeout(this.#deadline);
    const player = this.player;
    this.player = null;
    this.sample = null;
    this.#quiet = 0;
    player?.close();
    if (player) this.#options.changed();
  }

  #after(delay, f) {
    this.#clock.clearTimeout(this.#deadline);
    this.#deadline = this.#clock.setTimeout(f, delay);
  }
}

/** What plays, as "Playing 640×480 · H264 · 30 fps"; parts that are not known are left out. */
export function playingText(sample, videoRefused = false) {
  if (videoRefused) return `Playing sound only. ${REFUSED}`;
  if (sample?.audioPackets > 0 && sample.framesDecoded === 0) return "Playing sound only";
  const size = sample?.width ? ` ${sample.width}×${sample.height}` : "";
  const rate = sample?.framesPerSecond ? `${Math.round(sample.framesPerSecond)} fps` : null;
  return ["Playing" + size, sample?.codec, rate].filter(Boolean).join(" · ");
}
