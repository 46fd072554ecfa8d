// Wires the page together and offers window.boardcast to scripts and tests.
//
// The address may say what to play: ?camera=NAME of this board's, or as a fragment #peer=ID&ws=URL

import * as cameras from "./cameras.js";
import { Player } from "./player.js";
import { Screen } from "./screen.js";
import { Servers } from "./servers.js";
import { Signalling } from "./signalling.js";
import { Talk } from "./talk.js";
import { Viewer } from "./viewer.js";

const defaults = { version: "", peer: "camera", cameras: [], iceServers: [], talkback: true, open: false };

/** Whether an answer says that the key is not right. */
const locks = (answer) => answer.status === 401 || answer.status === 403;

/** The settings of the page, or `otherwise` where the server does not answer. */
async function loadConfig(otherwise = defaults) {
  try {
    const answer = await fetch("config.json", { signal: AbortSignal.timeout(5000) });
    if (answer.ok) return { ...defaults, ...(await answer.json()) };
    return { ...otherwise, locked: locks(answer) };
  } catch {
    return otherwise;
  }
}

/** Whether our own server answers: it may be asked before a WebSocket is tried. Others may not. */
async function ownServerAnswers(locked) {
  try {
    const answer = await fetch("config.json", { cache: "no-store", signal: AbortSignal.timeout(3000) });
    if (locks(answer)) locked();
    return answer.ok;
  } catch {
    return false;
  }
}

function run(config) {
  const wishes = new URLSearchParams(location.hash.slice(1));
  const peer = wishes.get("peer") || cameras.named(location.search) || config.peer || defaults.peer;
  const ownURL = new URL("ws", location.href);
  ownURL.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  ownURL.hash = "";
  const url = wishes.get("ws") || ownURL.href;
  document.title = `${peer} · boardcast`;

  const servers = new Servers(config.iceServers, async () => (await loadConfig()).iceServers);
  const talk = new Talk(() => draw());
  const screen = new Screen({
    frame: (stream) => viewer.player?.stream === stream && viewer.frameShown(),
    talk: (wanted) => (wanted ? talk.start(viewer.player).catch((error) => screen.notify(error.message)) : talk.stop()),
  });
  const viewer = new Viewer({
    peer,
    signalling: (on) => new Signalling({ url, peer, on, ...(wishes.has("ws") ? {} : { reachable: () => ownServerAnswers(() => viewer.lock()) }) }),
    player: (on, send) => {
      lookForSpeaker();
      return new Player({ iceServers: servers.list, renewed: servers.renew(), send, on: { ...on, talk: (status) => talk.told(status) } });
    },
    changed: () => draw(),
    tracks: (stream) => screen.show(stream),
    hidden: () => document.hidden,
  });

  /** A speaker is plugged in and out: each session asks anew whether there is one. */
  let { talkback } = config;
  async function lookForSpeaker() {
    ({ talkback } = await loadConfig({ talkback }));
    draw();
  }

  function draw() {
    if (!viewer.player && talk.state !== "off") talk.stop();
    screen.say(viewer);
    screen.sayTalk({ offered: talkback, state: talk.state, trouble: talk.trouble, obstacle: Talk.obstacle(viewer.player) });
  }

  window.boardcast = hooks(viewer, talk);
  document.addEventListener("visibilitychange", () => document.hidden || viewer.wake());
  addEventListener("online", () => viewer.wake());
  addEventListener("hashchange", () => location.reload());
  addEventListener("pagehide", () => viewer.stop());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  draw();
  screen.sayOpen(config.open);
  if (config.locked) {
    viewer.lock();
    return;
  }
  viewer.start();
  if (wishes.has("ws")) return;
  const several = config.cameras.length > 0;
  const changed = (states = {}, reasons = {}) => {
    if (several) screen.list(cameras.links(config.cameras, peer, states, reasons));
    const own = several ? peer : "";
    screen.sayOfCamera(cameras.sentence(states[own], reasons[own]));
    screen.say(viewer);
  };
  changed();
  new cameras.Watch({ ask: states, changed, hidden: () => document.hidden || viewer.state === "locked" }).start();
}

async function states() {
  return (await fetch("api/cameras", { cache: "no-store", signal: AbortSignal.timeout(3000) })).json();
}

/** What scripts may see and do. Times are performance.now() in ms, of the latest session. */
function hooks(viewer, talk) {
  const refuse = () => Promise.reject(new Error("there is no data channel"));
  return Object.freeze({
    get state() {
      return viewer.state;
    },
    get text() {
      return viewer.text;
    },
    get pc() {
      return viewer.player?.pc ?? null;
    },
    get channel() {
      return viewer.player?.channel ?? null;
    },
    get greeting() {
      return viewer.player?.requests?.greeting ?? null;
    },
    get signalling() {
      return viewer.signallingState;
    },
    get talking() {
      return talk.state;
    },
    get talkTrouble() {
      return talk.trouble;
    },
    get timings() {
      return { ...viewer.timings };
    },
    request: (method, params) => viewer.player?.requests?.request(method, params) ?? refuse(),
    startTalk: () => talk.start(viewer.player),
    stopTalk: () => talk.stop(),
    stats: async () => (await viewer.player?.stats()) ?? null,
  });
}

run(await loadConfig());
