// A player of WHEP whose browser's own offer is written in another way before it is sent. The browser's local description
// stays as it was; what the answer cannot match, because the offer did not say it, is written back into the answer.
const parts = (sdp) => sdp.split(/(?=^m=)/m); // the session's, then one of each section
const drop = (text, line) => text.replace(new RegExp(`^${line}.*\r\n`, "gm"), "");
const each = (sdp, kind, change) => parts(sdp).map((part) => (part.startsWith(`m=${kind}`) ? change(part) : part)).join("");
const mids = (sdp) => [...sdp.matchAll(/^a=mid:(.*)\r$/gm)].map(([, mid]) => mid);

// lift moves what each section says, the same in all, to the session.
function lift(sdp, line) {
  const said = sdp.match(new RegExp(`^${line}.*\r\n`, "m"))[0];
  const [session, ...rest] = parts(drop(sdp, line));
  return [session + said, ...rest].join("");
}

// keep leaves of a section the payload types whose rtpmap and fmtp pass the test, and those that repair them.
function keep(section, test) {
  const of = (kind, pt) => section.match(new RegExp(`^a=${kind}:${pt} (.*)\r\n`, "m"))?.[1] ?? "";
  const [head, ...lines] = section.split("\r\n");
  const [media, port, proto, ...offered] = head.split(" ");
  const wanted = offered.filter((pt) => test(of("rtpmap", pt), of("fmtp", pt)));
  const kept = offered.filter((pt) => wanted.includes(pt) || wanted.includes(of("fmtp", pt).match(/^apt=(\d+)$/)?.[1]));
  const left = lines.filter((l) => !/^a=(rtpmap|fmtp|rtcp-fb):\d/.test(l) || kept.includes(l.match(/:(\d+)/)[1]));
  return [[media, port, proto, ...kept].join(" "), ...left].join("\r\n");
}

const h264 = (mode) => (map, fmtp) => map.startsWith("H264") && fmtp.includes(`packetization-mode=${mode}`) && fmtp.includes("=42e0");
const onlyH264 = (sdp, mode) => each(sdp, "video", (s) => keep(s, h264(mode)));

// A player that knows no mids gets made-up ones, section by section, and finds its own by their order.
const ownMids = (answer, own) => {
  const [session, ...rest] = parts(answer);
  return [session, ...rest.map((s, i) => `${drop(s, "a=mid:")}a=mid:${mids(own)[i]}\r\n`)].join("");
};
const noMids = { offer: (sdp) => drop(drop(sdp, "a=mid:"), "a=group:"), answer: ownMids };

const gone = "m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:gone\r\na=inactive\r\na=rtpmap:96 VP8/90000\r\n";

// opus16 puts another Opus first, on a payload type that no section has.
function opus16(sdp) {
  const free = [...Array(128).keys()].slice(96).find((pt) => !sdp.includes(`a=rtpmap:${pt} `));
  const first = (section) => section.replace(/^(m=\S+ \S+ \S+) /, `$1 ${free} `).replace("a=rtpmap:", `a=rtpmap:${free} opus/16000\r\na=rtpmap:`);
  return each(sdp, "audio", first);
}

// alterations are by name: of the offer, and of the answer before the browser takes it.
const alterations = {
  "nothing": {},
  "setup and direction at session level": { offer: (sdp) => lift(lift(sdp, "a=setup:"), "a=recvonly") },
  "no direction": { offer: (sdp) => drop(sdp, "a=recvonly") },
  "no mid": noMids,
  "no mid, one section": { ...noMids, kinds: ["video"] },
  "no BUNDLE": { offer: (sdp) => drop(sdp, "a=group:") },
  "BUNDLE of one section": { kinds: ["video"] },
  "BUNDLE of one of two sections": { offer: (sdp) => sdp.replace(/^(a=group:BUNDLE \S+).*\r\n/m, "$1\r\n") },
  "no end of the last line": { offer: (sdp) => sdp.replace(/\r\n$/, "") },
  "blanks at the ends of lines": { offer: (sdp) => sdp.replaceAll(/^([am]=.*)\r\n/gm, "$1 \r\n") },
  "opus at 16 kHz first": { offer: opus16 },
  "a rejected section first": {
    offer: (sdp) => sdp.replace("m=", `${gone}m=`),
    answer: (sdp) => parts(sdp).filter((_, i) => i !== 1).join(""),
  },
  "no level-asymmetry-allowed": { offer: (sdp) => onlyH264(sdp, 1).replaceAll("level-asymmetry-allowed=1;", "") },
  "packetization-mode 0 alone": { offer: (sdp) => onlyH264(sdp, 0) },
  "no packetization-mode": { offer: (sdp) => onlyH264(sdp, 0).replaceAll("packetization-mode=0;", "") },
};

const asked = new URLSearchParams(location.search);
const { kinds = ["video", "audio"], offer = (sdp) => sdp, answer = (sdp) => sdp } = alterations[asked.get("alter")];
const video = document.querySelector("video");
document.getElementById("sound").onclick = () => (video.muted = false);
const pc = new RTCPeerConnection();
const gathered = new Promise((done) => (pc.onicecandidate = ({ candidate }) => candidate?.candidate || done()));
pc.ontrack = ({ streams }) => (video.srcObject = streams[0]);
pc.onconnectionstatechange = () => (globalThis.boardcast.state = pc.connectionState === "connected" ? "playing" : pc.connectionState);
for (const kind of kinds) pc.addTransceiver(kind, { direction: "recvonly" });
globalThis.boardcast = { pc, state: "connecting", status: 0, said: "", heard: "" };
await pc.setLocalDescription();
await gathered;
const own = pc.localDescription.sdp;
const said = offer(own);
const url = asked.get("whep");
const unanswered = (error) => ({ status: -1, text: async () => `${error}` });
const response = await fetch(url, { method: "POST", headers: { "Content-Type": "application/sdp" }, body: said }).catch(unanswered);
const heard = await response.text();
Object.assign(globalThis.boardcast, { status: response.status, said, heard });
globalThis.boardcast.hangUp = async () => response.ok && fetch(new URL(response.headers.get("Location"), url), { method: "DELETE" });
if (response.ok) await pc.setRemoteDescription({ type: "answer", sdp: answer(heard, own) });
