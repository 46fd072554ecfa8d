// Evaluated in every page that the tests open: reads the page from outside of its own code, by window.boardcast's pc and
// the <video>, so that what the page claims of itself is never the evidence. A test's own pages set window.boardcast too.
globalThis.e2e = (() => {
  const video = () => document.querySelector("video");
  const pc = () => globalThis.boardcast?.pc ?? null;

  async function stats() {
    const found = { width: 0, height: 0, frames: 0, fps: 0, codec: "", audioCodec: "", audioEnergy: 0, audioBytes: 0, videoBytes: 0, plis: 0, keyFrames: 0 };
    const report = pc() ? await pc().getStats() : new Map();
    const mime = (s) => report.get(s.codecId)?.mimeType ?? "";
    report.forEach((s) => {
      if (s.type !== "inbound-rtp") return;
      if (s.kind === "video") {
        found.frames += s.framesDecoded ?? 0;
        Object.assign(found, { width: s.frameWidth ?? 0, height: s.frameHeight ?? 0, fps: s.framesPerSecond ?? 0 });
        Object.assign(found, { codec: mime(s), videoBytes: s.bytesReceived ?? 0, plis: s.pliCount ?? 0 });
        found.keyFrames += s.keyFramesDecoded ?? 0;
      } else {
        found.audioEnergy += s.totalAudioEnergy ?? 0;
        Object.assign(found, { audioCodec: mime(s), audioBytes: s.bytesReceived ?? 0 });
      }
    });
    return found;
  }

  async function situation() {
    const b = globalThis.boardcast ?? {};
    const p = pc();
    const states = p ? [p.signalingState, p.iceConnectionState, p.connectionState] : null;
    return JSON.stringify({ state: b.state, text: b.text, states, stats: await stats() });
  }

  // Resolves to the first true value of what(); rejects, saying where the page stands, after ms.
  async function until(what, ms) {
    const end = performance.now() + ms;
    for (;;) {
      const value = await what();
      if (value) return value;
      if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}\npage: ${await situation()}`);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }

  function playing(frames, ms) {
    return until(async () => {
      const s = await stats();
      return globalThis.boardcast?.state === "playing" && s.frames >= frames && s;
    }, ms);
  }

  function pixels() {
    const v = video();
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: v.videoWidth, height: v.videoHeight });
    const luma = [];
    if (!v.videoWidth) return { width: 0, height: 0, hash: "", luma };
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(v, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let hash = 0x811c9dc5;
    for (const byte of data) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    for (let row = 0; row < 8; row++) {
      for (let column = 0; column < 8; column++) {
        const x = Math.floor(((column + 0.5) * canvas.width) / 8);
        const y = Math.floor(((row + 0.5) * canvas.height) / 8);
        const at = 4 * (y * canvas.width + x);
        luma.push(Math.round(0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]));
      }
    }
    return { width: canvas.width, height: canvas.height, hash: hash.toString(16), luma };
  }

  // Two pictures with different hashes, at most ms apart.
  async function moving(ms) {
    const first = pixels();
    const second = await until(() => {
      const now = pixels();
      return now.hash !== "" && now.hash !== first.hash && now;
    }, ms);
    return [first, second];
  }

  let watched = null;

  // Counts the frames presented from now on, and the longest time without one; beside it the longest delay of a timer,
  // which tells a picture that stops from a machine that does.
  function watch() {
    const w = { frames: 0, gap: 0, lag: 0, last: performance.now(), tick: performance.now() };
    const timer = setInterval(() => {
      const now = performance.now();
      w.lag = Math.max(w.lag, now - w.tick - 50);
      w.tick = now;
      if (watched !== w) clearInterval(timer);
    }, 50);
    const step = () => {
      const now = performance.now();
      w.gap = Math.max(w.gap, now - w.last);
      w.last = now;
      w.frames++;
      if (watched === w) video().requestVideoFrameCallback(step);
    };
    watched = w;
    w.pc = pc();
    video().requestVideoFrameCallback(step);
  }

  function watchedSoFar() {
    const gap = Math.max(watched.gap, performance.now() - watched.last);
    return { frames: watched.frames, gap, lag: watched.lag, samePC: watched.pc === pc() };
  }

  let shownAt = 0;

  // Notes when the next frame is shown, for nextFrame().
  function awaitFrame() {
    shownAt = 0;
    video().requestVideoFrameCallback(() => {
      shownAt = performance.timeOrigin + performance.now();
    });
  }

  // The wall-clock time, in ms, of the first frame shown since awaitFrame().
  function nextFrame(ms) {
    return until(() => shownAt, ms);
  }

  return { stats, situation, until, playing, pixels, moving, watch, watchedSoFar, awaitFrame, nextFrame };
})();
