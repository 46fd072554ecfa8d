// Turns a browser's RTCStatsReport into one flat object, and watches it for signs of life. Pure.

/**
 * What a person would ask of a stream. Members that the browser does not tell are null; counters start at 0.
 * Sizes in pixels, times in seconds, `audioEnergy` as totalAudioEnergy of the WebRTC statistics.
 */
export function summarise(report) {
  const all = [...report.values()];
  const inbound = (kind) => newest(all.filter((s) => s.type === "inbound-rtp" && s.kind === kind));
  const video = inbound("video");
  const audio = inbound("audio");
  const spoken = newest(all.filter((s) => s.type === "outbound-rtp" && s.kind === "audio"));
  return {
    width: video?.frameWidth ?? null,
    height: video?.frameHeight ?? null,
    framesDecoded: total(all, "video", "framesDecoded"),
    framesDropped: video?.framesDropped ?? 0,
    framesPerSecond: video?.framesPerSecond ?? null,
    keyFramesDecoded: video?.keyFramesDecoded ?? null,
    freezeCount: video?.freezeCount ?? null,
    codec: codecName(report, video),
    videoBytes: total(all, "video", "bytesReceived"),
    videoPacketsLost: video?.packetsLost ?? 0,
    audioCodec: codecName(report, audio),
    audioPackets: total(all, "audio", "packetsReceived"),
    audioBytes: total(all, "audio", "bytesReceived"),
    audioEnergy: audio?.totalAudioEnergy ?? 0,
    audioLevel: audio?.audioLevel ?? null,
    audioPacketsSent: spoken?.packetsSent ?? 0,
    roundTripTime: selectedPair(report, all)?.currentRoundTripTime ?? null,
    received: received(all),
  };
}

// After a renegotiation, a section that is no longer used leaves its counters behind.
function newest(reports) {
  const age = (s) => s.lastPacketReceivedTimestamp ?? 0;
  return reports.reduce((best, s) => (best && age(best) > age(s) ? best : s), null);
}

function total(all, kind, member) {
  return all.reduce((sum, s) => sum + (s.type === "inbound-rtp" && s.kind === kind ? (s[member] ?? 0) : 0), 0);
}

function codecName(report, rtp) {
  return report.get(rtp?.codecId)?.mimeType?.split("/")[1] ?? null;
}

// Bytes of any kind that have come in; null where the browser does not tell.
function received(all) {
  for (const type of ["transport", "candidate-pair"]) {
    const told = all.filter((s) => s.type === type && s.bytesReceived !== undefined);
    if (told.length > 0) return told.reduce((sum, s) => sum + s.bytesReceived, 0);
  }
  return null;
}

function selectedPair(report, all) {
  const transport = all.find((s) => s.type === "transport" && s.selectedCandidatePairId);
  return report.get(transport?.selectedCandidatePairId) ?? all.find((s) => s.type === "candidate-pair" && s.selected);
}

/** Tells how long nothing has arrived, from a counter that grows while media flow. */
export class Liveness {
  #count = -1;
  #since = 0;
  #seen = 0;

  /**
   * @param {number} count the counter
   * @param {number} now ms
   * @param {number} gap ms between two calls above which the page itself was asleep: silence is counted anew
   * @returns {number} ms of silence
   */
  silence(count, now, gap = 3000) {
    if (count !== this.#count || now - this.#seen > gap) this.#since = now;
    this.#count = count;
    this.#seen = now;
    return now - this.#since;
  }
}

/** Frames a second over the last second or so: what browsers tell is far off while a stream starts. */
export class FrameRate {
  #from = null;
  #rate = null;

  /** @returns {number|null} null for the first second */
  measure(frames, now) {
    const from = this.#from;
    if (from && now - from.now < 900) return this.#rate;
    if (from && frames >= from.frames) this.#rate = ((frames - from.frames) * 1000) / (now - from.now);
    this.#from = { frames, now };
    return this.#rate;
  }
}
