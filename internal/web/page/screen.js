// The DOM side: shows the picture, the words and the buttons, and reports what people do with them.

const IDLE_AFTER = 3_000; // ms without a movement until the bar fades
const NOTICE_FOR = 6_000;
const HELD = 400; // ms from which a press of the talk button is "talk while held", not a toggle

/**
 * Handlers in `on`: frame(stream) for the first picture of a stream on the screen, talk(wanted) for the talk button.
 */
export class Screen {
  #on;
  #stage = document.getElementById("stage");
  #video = document.getElementById("video");
  #still = document.getElementById("still");
  #words = document.getElementById("words");
  #facts = document.getElementById("facts");
  #play = document.getElementById("play");
  #sound = document.getElementById("sound");
  #talk = document.getElementById("talk");
  #full = document.getElementById("full");
  #cameras = document.getElementById("cameras");
  #notice = document.getElementById("notice");
  #idleTimer = null;
  #noticeTimer = null;
  #pressedAt = null;
  #talkObstacle = null;
  #talking = false;
  #ofCamera = ""; // what is to be said of the camera, such as why its placeholder plays
  #trouble = null; // why the voice is not heard, as it was last shown

  constructor(on) {
    this.#on = on;
    this.#video.muted = true; // else no browser starts by itself
    this.#play.onclick = () => this.#start();
    this.#sound.onclick = () => this.#toggleSound();
    this.#full.onclick = () => this.#toggleFull();
    this.#video.onpause = () => this.#video.srcObject?.active && this.#offerPlay(true); // a media key, or the browser
    this.#video.onplaying = () => this.#offerPlay(false);
    this.#video.ondblclick = () => this.#toggleFull();
    this.#video.onvolumechange = () => this.#drawSound();
    document.onfullscreenchange = () => this.#drawFull();
    this.#full.hidden = !document.fullscreenEnabled && !this.#video.webkitEnterFullscreen;
    this.#listenForTalk();
    this.#listenForKeys();
    for (const event of ["pointermove", "pointerdown", "keydown", "focusin"]) {
      document.addEventListener(event, () => this.#stir(), { passive: true });
    }
    this.#drawSound();
    this.#drawFull();
  }

  /** Shows this stream; calling it again for the same one, with other tracks, interrupts nothing. */
  show(stream) {
    if (this.#video.srcObject !== stream) {
      this.#video.srcObject = stream;
      this.#awaitFrame(stream);
    }
    this.#drawSound();
    this.#start({ byItself: true });
  }

  /** Keeps the last picture as a still, for the time without a session. */
  #keepStill() {
    const { videoWidth, videoHeight } = this.#video;
    if (!videoWidth) return;
    this.#still.width = videoWidth;
    this.#still.height = videoHeight;
    this.#still.getContext("2d").drawImage(this.#video, 0, 0);
    this.#stage.classList.add("has-still");
  }

  /** @param {{state: string, text: string}} viewer */
  say({ state, text }) {
    const before = this.#stage.dataset.state;
    if (state === "locked") this.#stage.classList.remove("has-still"); // the picture is not for this viewer any more
    else if (before === "playing" && state !== "playing") this.#keepStill();
    if (before !== state) this.#stir();
    this.#stage.dataset.state = state;
    const facts = (state === "playing" && this.#ofCamera) || text;
    this.#facts.textContent = facts;
    // The words are read aloud by screen readers: not the frame rate, once a second.
    const picture = this.#tracks("video") > 0;
    this.#stage.classList.toggle("no-picture", state === "playing" && !picture);
    const words = state === "playing" && picture && !this.#ofCamera ? "Playing" : facts;
    if (this.#words.textContent !== words) this.#words.textContent = words;
    this.#drawSound();
  }

  /** What the next `say` says of the camera while it plays, in place of the facts; nothing where all is as it should be. */
  sayOfCamera(sentence) {
    this.#ofCamera = sentence;
  }

  /** @param {{offered: boolean, state: string, trouble: string|null, obstacle: string|null}} talk */
  sayTalk({ offered, state, trouble, obstacle }) {
    this.#talk.hidden = !offered;
    this.#facts.title = offered ? "" : "Talking is off: the board has no speaker, or its settings want none";
    this.#talking = state !== "off";
    this.#talkObstacle = this.#talking ? null : obstacle;
    this.#talk.classList.toggle("starting", state === "starting");
    const label = this.#talking ? "Stop talking" : "Talk";
    const tip = this.#talkObstacle ?? trouble ?? (this.#talking ? "Stop talking (T)" : "Talk: click, or hold while you speak (T)");
    if (trouble && trouble !== this.#trouble) this.notify(trouble);
    this.#trouble = trouble;
    describe(this.#talk, { label, tip, pressed: state === "on", disabled: Boolean(this.#talkObstacle) });
  }

  /** Warns that keys are turned off. */
  sayOpen(open) {
    document.getElementById("open").hidden = !open;
  }

  /** Links to the cameras, once there are several. */
  list(links) {
    this.#cameras.hidden = false;
    for (const link of links) {
      const a = this.#cameras.querySelector(`[data-name="${CSS.escape(link.name)}"]`) ?? this.#link(link);
      a.dataset.state = link.state;
      a.lastChild.textContent = link.words;
      a.title = link.reason ?? "";
    }
  }

  #link({ name, href, current }) {
    const a = document.createElement("a");
    a.href = href;
    a.dataset.name = name;
    if (current) a.setAttribute("aria-current", "page");
    a.append(document.createElement("i"), name, document.createElement("span"));
    this.#cameras.append(a);
    return a;
  }

  /** A line for some seconds. */
  notify(text) {
    this.#notice.textContent = text;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => (this.#notice.textContent = ""), NOTICE_FOR);
  }

  async #start({ byItself = false } = {}) {
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError") return; // AbortError: another stream has taken its place
      if (byItself && !this.#video.muted) {
        this.#video.muted = true;
        await this.#start({ byItself });
        return;
      }
      this.#offerPlay(true);
    }
  }

  #offerPlay(offered) {
    this.#play.hidden = !offered;
    this.#stage.classList.toggle("blocked", offered);
  }

  #awaitFrame(stream) {
    const shown = () => this.#video.srcObject === stream && this.#on.frame(stream);
    if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(shown);
    else this.#video.addEventListener("loadeddata", shown, { once: true });
  }

  #tracks(kind) {
    return this.#video.srcObject?.getTracks().filter((track) => track.kind === kind).length ?? 0;
  }

  #toggleSound() {
    if (this.#tracks("audio") === 0) {
      this.notify(this.#sound.dataset.tip);
      return;
    }
    this.#video.muted = !this.#video.muted;
    if (!this.#video.muted) this.#start();
  }

  #drawSound() {
    const on = !this.#video.muted;
    const silent = this.#tracks("audio") === 0;
    const waiting = this.#stage.dataset.state !== "playing";
    const tip = silent ? (waiting ? "There is no sound yet" : "This camera sends no sound") : on ? "Turn sound off (M)" : "Turn sound on (M)";
    describe(this.#sound, { label: "Sound", tip, pressed: on && !silent, disabled: silent });
  }

  async #toggleFull() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else if (document.fullscreenEnabled) await this.#stage.requestFullscreen({ navigationUI: "hide" }).catch(() => {});
    else this.#video.webkitEnterFullscreen?.(); // iPhones put only a video on the full screen
  }

  #drawFull() {
    const on = Boolean(document.fullscreenElement);
    describe(this.#full, { label: "Full screen", tip: on ? "Leave full screen (F)" : "Full screen (F)", pressed: on });
  }

  #press() {
    if (this.#talkObstacle) {
      this.notify(this.#talkObstacle);
    } else if (this.#talking) {
      this.#on.talk(false);
    } else {
      this.#pressedAt = performance.now();
      this.#on.talk(true);
    }
  }

  #release() {
    if (this.#pressedAt !== null && performance.now() - this.#pressedAt > HELD) this.#on.talk(false);
    this.#pressedAt = null;
  }

  #listenForTalk() {
    this.#talk.onpointerdown = (event) => {
      if (event.button !== 0) return;
      this.#talk.setPointerCapture(event.pointerId);
      this.#press();
    };
    this.#talk.onpointerup = this.#talk.onpointercancel = () => this.#release();
    this.#talk.oncontextmenu = (event) => event.preventDefault(); // a long press on a phone
    this.#talk.onclick = (event) => event.detail === 0 && this.#press(); // from the keyboard: a toggle
  }

  #listenForKeys() {
    const keys = { m: () => this.#toggleSound(), f: () => this.#toggleFull(), t: () => this.#talk.hidden || this.#press() };
    document.addEventListener("keydown", (event) => {
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
      keys[event.key.toLowerCase()]?.();
    });
    document.addEventListener("keyup", (event) => event.key.toLowerCase() === "t" && this.#release());
    addEventListener("blur", () => this.#release());
  }

  #stir() {
    this.#stage.classList.remove("idle");
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      if (this.#stage.dataset.state === "playing" && !this.#talking) this.#stage.classList.add("idle");
    }, IDLE_AFTER);
  }
}

function describe(button, { label, tip, pressed, disabled = false }) {
  button.setAttribute("aria-label", label);
  button.dataset.tip = tip;
  button.setAttribute("aria-pressed", String(pressed));
  button.setAttribute("aria-disabled", String(disabled));
  if (disabled) button.setAttribute("aria-description", tip);
  else button.removeAttribute("aria-description");
}
