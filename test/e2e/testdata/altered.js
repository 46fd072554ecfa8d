// A player of WHEP whose browser's own offer is written in another way before it is sent. The browser's local description
// stays as it was; what the answer cannot say, because the offer did not, is written back into the answer.
const sections = (sdp) => sdp.split(/(?=^m=)/m); // the session's part first
const rewrite = (sdp, change) => sections(sdp).map(change).join("");
const drop = (text, line) => text.replace(new RegExp(`^${line}.*\r\n`, "gm"), "");

// keepCodecs leaves the payload types that the test is true of, by their rtpmap's name and their fmtp, and those that repair them.
function keepCodecs(section, test) {
  const of = (kind, pt) => section.match(new RegExp(`^a=${kind}:${pt} (.*)\r\n`, "m"))?.[1] ?? "";
  const first = section.match(/^m=\S+ \S+ \S+ (.*)\r\n/)[1].split(" ");
  const kept = first.filter((pt) => test(of("rtpmap", pt), of("fmtp", pt)));
  kept.push(...first.filter((pt) => kept.includes(of("fmtp", pt).match(/^apt=(\d+)$/)?.[1])));
  const lines = section.split("\r\n").filter((l) => !/^a=(rtpmap|fmtp|rtcp-fb):\d/.test(l) || kept.includes(l.match(/:(\d+)/)[1]));
  lines[0] = lines[0].split(" ").slice(0, 3).concat(kept).join(" ");
  return lines.join("\r\n");
}

const video = (change) => (sdp) => rewrite(sdp, (s) => (s.startsWith("m=video") ? change(s) : s));
const mode0 = (map, fmtp) => /^H264/.test(map) && /packetization-mode=0/.test(fmtp) && /=42e0/i.test(fmtp);
const onlyMode0 = video((s) => keepCodecs(s, mode0));

const alterations = {
  "as it is": {},
  "mode 0": { offer: onlyMode0 },
  "mode 0 alone": { offer: onlyMode0 },
  "mode absent": { offer: (sdp) => onlyMode0(sdp).replaceAll("packetization-mode=0;", "") },
  "answered mode 1": { offer: onlyMode0, answer: (sdp) => sdp.replaceAll("packetization-mode=0", "packetization-mode=1") },
};

const asked = new URLSearchParams(location.search);
const element = document.querySelector("video");
document.getElementById("sound").onclick = () => (element.muted = false);
const { kinds = ["video", "audio"], offer = (sdp) => sdp, answer = (sdp) => sdp } = alterations[asked.get("alter")];
const pc = new RTCPeerConnection();
pc.ontrack = ({ streams }) => (element.srcObject = streams[0]);
pc.onconnectionstatechange = () => (globalThis.boardcast.state = pc.connectionState === "connected" ? "playing" : pc.connectionState);
for (const kind of kinds) pc.addTransceiver(kind, { direction: "recvonly" });
globalThis.boardcast = { pc, state: "connecting", status: 0 };
await pc.setLocalDescription();
await new Promise((done) => (pc.onicecandidate = ({ candidate }) => candidate?.candidate || done()));
const own = pc.localDescription.sdp;
const said = offer(own);
const response = await fetch(asked.get("whep"), { method: "POST", headers: { "Content-Type": "application/sdp" }, body: said });
const heard = await response.text();
Object.assign(globalThis.boardcast, { status: response.status, said, heard });
await pc.setRemoteDescription({ type: "answer", sdp: answer(heard, own) });
