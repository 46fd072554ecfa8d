// Talkback: our microphone, sent in the session's audio section while wanted.

const CONSTRAINTS = { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true }, video: false };

/** The microphone. `state` is "off", "starting" or "on"; `changed` is called after each change. */
export class Talk {
  state = "off";
  trouble = null; // why our voice is not heard, in words
  #changed;
  #track = null;
  #player = null;
  #turn = 0; // a stop while the browser still asks for permission must win

  constructor(changed) {
    this.#changed = changed;
  }

  /** Why talking is not possible with this player, in words; null when it is. */
  static obstacle(player) {
    if (!globalThis.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
      return "Talking needs https: give the board the setting `tls: auto`, then open this page by https://";
    }
    if (!player?.connected) return "Talking is possible once the camera plays";
    return player.canTalk ? null : "This camera does not take sound";
  }

  /** Rejects with an Error whose message is for the user. Resolves when the voice is on its way, or was stopped. */
  async start(player) {
    const obstacle = Talk.obstacle(player);
    if (obstacle) throw new Error(obstacle);
    if (this.state !== "off") return;
    const turn = ++this.#turn;
    this.#set("starting");
    try {
      await this.#open(player, turn);
    } catch (error) {
      if (turn === this.#turn) this.stop();
      throw new Error(inWords(error));
    }
  }

  /** Takes the streamer's word on what becomes of our voice. @param {{state: string, reason?: string}} status */
  told({ state, reason }) {
    const words = {
      replaced: "You are not heard: another viewer is talking",
      failed: `You are not heard: the speaker cannot be used${reason ? ` (${reason})` : ""}`,
    };
    this.trouble = words[state] ?? null;
    this.#changed();
  }

  /** Ends talking and lets go of the microphone. */
  stop() {
    this.#turn++;
    this.#player?.speak(null).catch(() => {}); // the session may be over
    this.#track?.stop();
    this.#track = this.#player = null;
    this.trouble = null;
    if (this.state !== "off") this.#set("off");
  }

  async #open(player, turn) {
    const [track] = (await navigator.mediaDevices.getUserMedia(CONSTRAINTS)).getAudioTracks();
    if (turn !== this.#turn) {
      track.stop();
      return;
    }
    this.#track = track;
    this.#player = player;
    track.onended = () => this.stop();
    const spoken = await player.speak(track);
    if (turn !== this.#turn) return; // stop has put it all away
    if (!spoken) throw new Error("This camera does not take sound");
    this.#set("on");
  }

  #set(state) {
    this.state = state;
    this.#changed();
  }
}

function inWords(error) {
  const words = {
    NotAllowedError: "The microphone is not allowed: change that in the browser's settings for this page",
    NotFoundError: "There is no microphone on this device",
    NotReadableError: "The microphone is in use by another program",
  };
  return words[error.name] ?? error.message;
}
