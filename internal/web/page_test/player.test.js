import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Player } from "../page/player.js";
import { Talk } from "../page/talk.js";
import { settle } from "./fakes.js";

const sdp = (...lines) => ["v=0", "s=-", ...lines, ""].join("\r\n");
const VIDEO = ["m=video 9 X 96", "a=mid:0", "a=sendonly"];
const VOICE = ["m=audio 9 X 97", "a=mid:1", "a=sendrecv"];
const SOUND = ["m=audio 9 X 97", "a=mid:1", "a=sendonly"];

/** As much of a peer connection as the player uses; answers what the transceivers' directions say. */
class FakePC {
  connectionState = "new";
  remoteDescription = null;
  localDescription = null;
  log = [];
  transceivers = [];
  static refuse = null;
  static playable = () => true;
  static last;

  constructor(config) {
    this.config = config;
    FakePC.last = this;
  }

  setConfiguration(config) {
    this.log.push("configured");
    this.config = config;
  }

  getTransceivers() {
    return this.transceivers;
  }

  addTransceiver(kind, { direction }) {
    const t = { mid: null, direction, currentDirection: null, receiver: { track: { kind } }, sender: { replaceTrack: async (track) => void (t.sent = track) } };
    this.transceivers.push(t);
    return t;
  }

  createDataChannel(label) {
    return Object.assign(new EventTarget(), { label, readyState: "connecting" });
  }

  async setRemoteDescription(description) {
    if (FakePC.refuse) {
      await settle();
      throw new Error(FakePC.refuse);
    }
    this.log.push(`remote ${description.type}`);
    this.remoteDescription = description;
    for (const part of description.sdp.split(/\r\n(?=m=)/).slice(1)) {
      const kind = part.slice(2, 7);
      const mid = /a=mid:(\S+)/.exec(part)[1];
      let t = this.transceivers.find((t) => t.mid === mid || (t.mid === null && t.receiver.track.kind === kind));
      if (!t) this.ontrack?.({ receiver: (t = this.addTransceiver(kind, { direction: "recvonly" })).receiver });
      Object.assign(t, { mid, offered: / 0 /.test(part.split("\r\n")[0]) ? "inactive" : /a=(send\w+|recvonly|inactive)/.exec(part)[1] });
      if (t.offered === "inactive") t.currentDirection = "inactive";
    }
  }

  async setLocalDescription() {
    await settle();
    const lines = [];
    for (const t of this.transceivers) {
      const allowed = t.receiver.track.kind !== "video" || FakePC.playable();
      const send = /send/.test(t.direction) && /recv/.test(t.offered ?? "sendrecv");
      const receive = /recv/.test(t.direction) && /send/.test(t.offered ?? "sendrecv");
      t.currentDirection = !allowed || t.offered === "inactive" ? "inactive" : send && receive ? "sendrecv" : send ? "sendonly" : receive ? "recvonly" : "inactive";
      lines.push(`m=${t.receiver.track.kind} ${t.currentDirection === "inactive" ? 0 : 9} X 96`, `a=mid:${t.mid}`, `a=${t.currentDirection}`);
    }
    this.localDescription = { type: this.remoteDescription ? "answer" : "offer", sdp: sdp(...lines) };
    this.log.push("local");
  }

  async addIceCandidate({ candidate }) {
    this.log.push(candidate);
    if (candidate === "bad") throw new Error("bad candidate");
  }

  async getStats() {
    return new Map();
  }

  close() {
    this.connectionState = "closed";
  }
}

class FakeStream {
  tracks = [];
  getTracks = () => [...this.tracks];
  addTrack = (track) => void this.tracks.push(track);
  removeTrack = (track) => void this.tracks.splice(this.tracks.indexOf(track), 1);
}

beforeEach(() => {
  FakePC.refuse = null;
  FakePC.playable = () => true;
  globalThis.RTCPeerConnection = FakePC;
  globalThis.MediaStream = FakeStream;
});

function make(more = {}) {
  const events = [];
  const sent = [];
  const player = new Player({
    iceServers: [{ urls: ["stun:a"] }],
    ...more,
    send: (text) => sent.push(text.startsWith("{") ? JSON.parse(text) : text),
    on: {
      connection: (state) => events.push(state),
      tracks: (stream) => events.push(stream.tracks.map((t) => t.kind).sort().join("+")),
      offer: () => events.push("offer"),
      failed: (error) => events.push(error.message),
    },
  });
  return { player, pc: FakePC.last, events, sent };
}

const offer = (...lines) => ({ type: "sdp", sdp: { type: "offer", sdp: sdp(...lines) } });
const candidate = (text) => ({ type: "ice", ice: { candidate: text, sdpMLineIndex: 0 } });

async function answered(...lines) {
  const made = make();
  made.player.receive(offer(...lines));
  await settle();
  await settle();
  assert.equal(made.sent.length, 1, "one answer");
  return made;
}

test("renewed servers are in place before the first answer", async () => {
  let renew;
  const { player, pc, sent } = make({ renewed: new Promise((done) => (renew = done)) });
  player.receive(offer(...VIDEO));
  await settle();
  assert.deepEqual(pc.log, []);
  renew([{ urls: ["turn:b"], username: "u", credential: "new" }]);
  await settle();
  await settle();
  assert.equal(pc.log[0], "configured");
  assert.equal(pc.config.iceServers[0].credential, "new");
  assert.equal(sent.length, 1);
});

test("where servers are not renewed, the old ones do", async () => {
  const { player, pc, sent } = make({ renewed: Promise.reject(new Error("no answer")) });
  player.receive(offer(...VIDEO));
  await settle();
  await settle();
  assert.deepEqual(pc.config.iceServers, [{ urls: ["stun:a"] }]);
  assert.equal(sent.length, 1);
});

test("an offer is answered", async () => {
  const { player, pc, events, sent } = await answered(...VIDEO, ...VOICE);
  assert.equal(sent[0].sdp.type, "answer");
  assert.deepEqual(pc.transceivers.map((t) => t.currentDirection), ["recvonly", "sendrecv"]);
  assert.deepEqual(pc.transceivers.map((t) => t.direction), ["recvonly", "sendrecv"]);
  assert.deepEqual(events, ["audio+video", "offer"]);
  assert.deepEqual([player.canTalk, player.videoRefused], [true, false]);
  assert.deepEqual(pc.config.iceServers, [{ urls: ["stun:a"] }]);
});

test("our voice goes only where it is wanted", async () => {
  const { player, pc } = await answered(...VIDEO, ...SOUND);
  assert.equal(player.canTalk, false);
  assert.deepEqual(pc.transceivers.map((t) => t.currentDirection), ["recvonly", "recvonly"]);
  assert.equal(await player.speak({}), false);
});

test("candidates wait for the description, in their order", async () => {
  const { player, pc } = make();
  for (const text of ["one", "two"]) player.receive(candidate(text));
  player.receive(offer(...VIDEO));
  player.receive(candidate("three"));
  await settle();
  await settle();
  assert.deepEqual(pc.log, ["remote offer", "one", "two", "local", "three"]);
});

test("a candidate that is of no use harms nothing", async () => {
  const { player, pc, events } = await answered(...VIDEO);
  player.receive(candidate("bad"));
  player.receive(candidate("good"));
  await settle();
  assert.deepEqual(pc.log.slice(-2), ["bad", "good"]);
  assert.deepEqual(events, ["video", "offer"]);
});

test("our candidates go out, without the end mark", () => {
  const { pc, sent } = make();
  const own = (text) => ({ candidate: text, toJSON: () => ({ candidate: text, sdpMid: "0", sdpMLineIndex: 0, usernameFragment: null }) });
  for (const event of [{ candidate: own("candidate:1") }, { candidate: own("") }, { candidate: null }]) pc.onicecandidate(event);
  assert.deepEqual(sent, [{ ice: { candidate: "candidate:1", sdpMid: "0", sdpMLineIndex: 0 } }]);
});

test("an offer with a rejected section", async () => {
  const { player, pc, events } = await answered("m=video 0 X 96", "a=mid:0", "a=inactive", ...VOICE);
  assert.deepEqual(pc.transceivers.map((t) => t.currentDirection), ["inactive", "sendrecv"]);
  assert.deepEqual(events, ["audio", "offer"]);
  assert.equal(player.videoRefused, false, "the camera sends none");
});

test("of two pictures, one is shown", async () => {
  const { player, pc } = await answered(...VIDEO, "m=video 9 X 98", "a=mid:2", "a=sendonly");
  assert.deepEqual(player.stream.tracks, [pc.transceivers[1].receiver.track]);
});

test("a picture in a format the browser lacks", async () => {
  FakePC.playable = () => false;
  const { player, events } = await answered(...VIDEO, ...SOUND);
  assert.equal(player.videoRefused, true);
  assert.deepEqual(events, ["audio", "offer"]);
});

test("a second offer changes the session without ending it", async (t) => {
  await t.test("the same again", async () => {
    const { player, pc, events, sent } = await answered(...VIDEO, ...VOICE);
    player.receive(offer(...VIDEO, ...VOICE));
    await settle();
    await settle();
    assert.equal(player.pc, pc);
    assert.equal(sent.length, 2);
    assert.deepEqual(events, ["audio+video", "offer", "offer"], "the stream is left as it is");
  });
  await t.test("a new picture in the place of the old one", async () => {
    const { player, pc, events } = await answered(...VIDEO, ...VOICE);
    player.receive(offer("m=video 0 X 96", "a=mid:0", "a=inactive", ...VOICE, "m=video 9 X 98", "a=mid:2", "a=sendonly"));
    await settle();
    await settle();
    assert.deepEqual(events, ["audio+video", "offer", "audio+video", "offer"]);
    assert.ok(player.stream.tracks.includes(pc.transceivers[2].receiver.track));
    assert.ok(!player.stream.tracks.includes(pc.transceivers[0].receiver.track));
  });
  await t.test("talkback taken away", async () => {
    const { player } = await answered(...VIDEO, ...VOICE);
    player.receive(offer(...VIDEO, ...SOUND));
    await settle();
    await settle();
    assert.equal(player.canTalk, false);
  });
});

test("we make the offer when asked to", async () => {
  const { player, pc, events, sent } = make();
  player.receive({ type: "offer-request" });
  await settle();
  await settle();
  assert.equal(sent[0].sdp.type, "offer");
  assert.deepEqual(pc.transceivers.map((t) => [t.receiver.track.kind, t.direction]), [["video", "recvonly"], ["audio", "sendrecv"]]);
  assert.equal(player.channel.label, "channel");
  player.receive({ type: "sdp", sdp: { type: "answer", sdp: sdp(...VIDEO, ...VOICE) } });
  await settle();
  assert.equal(player.canTalk, true);
  assert.ok(events.includes("offer"));
});

test("a refused offer is reported, once the player lives", async () => {
  FakePC.refuse = "no fingerprint";
  const { player, events } = make();
  player.receive(offer(...VIDEO));
  await settle();
  await settle();
  assert.deepEqual(events, ["no fingerprint"]);
  const closed = make();
  closed.player.receive(offer(...VIDEO));
  await Promise.resolve(); // the offer is being read
  closed.player.close();
  await settle();
  await settle();
  assert.deepEqual(closed.events, []);
});

test("only the streamer's channel is taken", () => {
  const { player, pc } = make();
  const channel = (label) => Object.assign(new EventTarget(), { label, readyState: "open" });
  pc.ondatachannel({ channel: channel("other") });
  assert.equal(player.channel, null);
  pc.ondatachannel({ channel: channel("channel") });
  assert.equal(player.channel.label, "channel");
});

test("a picture without delay, sound with its buffer", () => {
  const { pc } = make();
  const modern = { track: { kind: "video" }, jitterBufferTarget: null };
  const older = { track: { kind: "video" }, playoutDelayHint: null };
  const audio = { track: { kind: "audio" }, jitterBufferTarget: null };
  for (const receiver of [modern, older, audio]) pc.ontrack({ receiver });
  assert.deepEqual([modern.jitterBufferTarget, older.playoutDelayHint, audio.jitterBufferTarget], [0, 0, null]);
});

test("talking", async (t) => {
  let microphone;
  const setUp = async () => {
    const made = await answered(...VIDEO, ...VOICE);
    made.pc.connectionState = "connected";
    made.voice = made.pc.transceivers[1];
    globalThis.isSecureContext = true;
    microphone = { stopped: false, stop: () => (microphone.stopped = true) };
    Object.defineProperty(globalThis, "navigator", {
      configurable: true,
      value: { mediaDevices: { getUserMedia: async () => ({ getAudioTracks: () => [microphone] }) } },
    });
    const states = [];
    const talk = new Talk(() => states.push(talk.state));
    return { ...made, talk, states };
  };
  await t.test("on and off", async () => {
    const { talk, player, voice, states } = await setUp();
    await talk.start(player);
    assert.equal(voice.sent, microphone);
    talk.stop();
    await settle();
    assert.deepEqual([voice.sent, microphone.stopped], [null, true]);
    assert.deepEqual(states, ["starting", "on", "off"]);
  });
  await t.test("stopped while the browser asks for permission", async () => {
    const { talk, player, voice, states } = await setUp();
    const started = talk.start(player);
    talk.stop();
    await started;
    assert.deepEqual([voice.sent, microphone.stopped], [undefined, true]);
    assert.deepEqual(states, ["starting", "off"]);
  });
  await t.test("not allowed by the user", async () => {
    const { talk, player } = await setUp();
    navigator.mediaDevices.getUserMedia = async () => {
      throw Object.assign(new Error("x"), { name: "NotAllowedError" });
    };
    await assert.rejects(talk.start(player), /not allowed/);
    assert.equal(talk.state, "off");
  });
  const obstacles = {
    "not a secure address": [/https/, () => (globalThis.isSecureContext = false)],
    "not connected": [/once the camera plays/, ({ pc }) => (pc.connectionState = "connecting")],
    "not taken by the camera": [/does not take sound/, ({ player }) => (player.canTalk = false)],
  };
  for (const [name, [words, cause]] of Object.entries(obstacles)) {
    await t.test(name, async () => {
      const made = await setUp();
      assert.equal(Talk.obstacle(made.player), null);
      cause(made);
      assert.match(Talk.obstacle(made.player), words);
      await assert.rejects(made.talk.start(made.player), words);
      assert.equal(made.voice.sent, undefined);
    });
  }
});
