// One session's RTCPeerConnection: answers the streamer's offers, trades candidates, collects the tracks.

import * as messages from "./messages.js";
import { Requests } from "./channel.js";
import { receives, sections, sends } from "./sdp.js";
import { summarise } from "./stats.js";

const bundlePolicy = "max-bundle";

/**
 * Plays one session. Events, each a function in `on`:
 *   connection(state)   pc.connectionState has changed
 *   tracks(stream)      the set of tracks in `stream` has changed
 *   offer()             an offer was answered: canTalk and videoRefused may have changed
 *   talk(status)        what becomes of our voice, as {state, reason}
 *   failed(error)       the browser refused what the peer sent; the session is of no use
 */
export class Player {
  stream;
  canTalk = false; // the offer wants our audio
  videoRefused = false; // the offer has video, in no codec this browser decodes
  requests = null; // Requests, once the streamer's data channel is there
  pc;
  #on;
  #send;
  #work = Promise.resolve();
  #early = []; // candidates that came before the description they belong to

  /**
   * `renewed` takes the place of iceServers before anything is answered, where it is a promise and comes true.
   * @param {{iceServers: RTCIceServer[], renewed?: Promise<RTCIceServer[]>?, send: (text: string) => void, on: object}} options
   */
  constructor({ iceServers, renewed, send, on }) {
    this.#on = on;
    this.#send = send;
    this.stream = new MediaStream();
    this.pc = new RTCPeerConnection({ iceServers, bundlePolicy });
    const renew = (list) => this.pc?.setConfiguration({ iceServers: list, bundlePolicy });
    if (renewed) this.#work = renewed.then(renew).catch(() => {}); // the old ones may still do
    this.pc.onicecandidate = ({ candidate }) => candidate?.candidate && send(messages.ice(candidate.toJSON()));
    this.pc.onconnectionstatechange = () => this.pc && on.connection(this.pc.connectionState);
    this.pc.ontrack = ({ receiver }) => preferLowDelay(receiver);
    this.pc.ondatachannel = ({ channel }) => this.#adopt(channel);
  }

  get connected() {
    return this.pc?.connectionState === "connected" || this.pc?.connectionState === "disconnected";
  }

  get channel() {
    return this.requests?.channel ?? null;
  }

  /** Takes a message of the peer; they are worked off one after the other. */
  receive(message) {
    this.#work = this.#work
      .then(() => this.pc && this.#handle(message))
      .catch((error) => this.pc && this.#on.failed(error));
  }

  /** Sends this track as our voice, or nothing for null. */
  async speak(track) {
    const audio = this.pc?.getTransceivers().find((t) => /^send/.test(t.currentDirection ?? "") && kindOf(t) === "audio");
    await audio?.sender.replaceTrack(track);
    return Boolean(audio);
  }

  /** @returns {Promise<object|null>} see summarise; null when closed */
  async stats() {
    return this.pc ? summarise(await this.pc.getStats()) : null;
  }

  close() {
    const pc = this.pc;
    this.pc = null;
    this.requests?.close();
    pc?.close();
  }

  #handle(message) {
    switch (message.type) {
      case "offer-request":
        return this.#offer();
      case "ice":
        return this.#candidate(message.ice);
      case "sdp":
        return message.sdp.type === "offer" ? this.#answer(message.sdp) : this.#answered(message.sdp);
    }
  }

  async #answer(offer) {
    await this.pc.setRemoteDescription(offer);
    await this.#flush();
    this.canTalk = receives(offer.sdp, "audio");
    this.#direct(sections(offer.sdp));
    await this.pc.setLocalDescription();
    this.#tell();
    this.videoRefused = sends(offer.sdp, "video") && !receives(this.pc.localDescription.sdp, "video");
    this.#collect();
    this.#on.offer();
  }

  /** Keeps the way open for our voice, so that speaking later needs no new offer. */
  #direct(offered) {
    for (const t of this.pc.getTransceivers()) {
      const section = offered.find((s) => s.mid !== null && s.mid === t.mid);
      if (!section || section.rejected || t.direction === "stopped") continue;
      const voice = section.kind === "audio" && /recv/.test(section.direction);
      t.direction = voice ? "sendrecv" : "recvonly";
    }
  }

  /** The peer wants the offer from us: ask for a picture and sound. */
  async #offer() {
    if (this.pc.getTransceivers().length === 0) {
      this.pc.addTransceiver("video", { direction: "recvonly" });
      this.pc.addTransceiver("audio", { direction: "sendrecv" });
      this.#adopt(this.pc.createDataChannel("channel"));
    }
    await this.pc.setLocalDescription();
    this.#tell();
  }

  async #answered(answer) {
    await this.pc.setRemoteDescription(answer);
    await this.#flush();
    this.canTalk = receives(answer.sdp, "audio");
    this.#collect();
    this.#on.offer();
  }

  #tell() {
    this.#send(messages.sdp(this.pc.localDescription));
  }

  async #candidate(candidate) {
    if (!this.pc.remoteDescription) {
      this.#early.push(candidate);
      return;
    }
    // One that the browser cannot use (another family, a name that does not resolve) says nothing about the others.
    await this.pc.addIceCandidate(candidate).catch(() => {});
  }

  async #flush() {
    for (const candidate of this.#early.splice(0)) await this.#candidate(candidate);
  }

  /** Brings the stream in line with what was negotiated: every sound, and the latest picture. */
  #collect() {
    const tracks = this.pc
      .getTransceivers()
      .filter((t) => /recv/.test(t.currentDirection ?? ""))
      .map((t) => t.receiver.track);
    const wanted = [...tracks.filter((t) => t.kind === "audio"), ...tracks.filter((t) => t.kind === "video").slice(-1)];
    const before = this.stream.getTracks();
    for (const track of before) if (!wanted.includes(track)) this.stream.removeTrack(track);
    for (const track of wanted) if (!before.includes(track)) this.stream.addTrack(track);
    if (before.length !== wanted.length || wanted.some((track) => !before.includes(track))) this.#on.tracks(this.stream);
  }

  #adopt(channel) {
    if (channel.label !== "channel") return;
    this.requests = new Requests(channel);
    this.requests.talk = (status) => this.#on.talk?.(status);
  }
}

function kindOf(transceiver) {
  return transceiver.receiver.track.kind;
}

function preferLowDelay(receiver) {
  if (receiver.track.kind !== "video") return; // sound needs its buffer
  if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
  else if ("playoutDelayHint" in receiver) receiver.playoutDelayHint = 0;
}
