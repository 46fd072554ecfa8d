// A player as anybody would write it: one fetch with the offer, one with the candidates, one to hang up.
const video = document.querySelector("video");
document.getElementById("sound").onclick = () => (video.muted = false);
const pc = new RTCPeerConnection();
const candidates = [];
const gathered = new Promise((done) => {
  pc.onicecandidate = ({ candidate }) => (candidate?.candidate ? candidates.push(`a=${candidate.candidate}\r\n`) : done());
});
pc.ontrack = ({ streams }) => (video.srcObject = streams[0]);
pc.onconnectionstatechange = () => (globalThis.boardcast.state = pc.connectionState === "connected" ? "playing" : pc.connectionState);
for (const kind of ["video", "audio"]) pc.addTransceiver(kind, { direction: "recvonly" });
globalThis.boardcast = { pc, state: "connecting", status: {}, headers: {} };
await pc.setLocalDescription();
const { sdp } = pc.localDescription;
const url = new URLSearchParams(location.search).get("whep");
const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/sdp" }, body: sdp });
const session = new URL(answer.headers.get("Location"), url);
Object.assign(globalThis.boardcast, { answer: await answer.text(), headers: Object.fromEntries(answer.headers) });
await pc.setRemoteDescription({ type: "answer", sdp: globalThis.boardcast.answer });
await gathered;
const about = ["m=", "a=mid:", "a=ice-ufrag:", "a=ice-pwd:"].map((start) => sdp.match(new RegExp(`^${start}.*\r\n`, "m"))[0]);
const headers = { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": answer.headers.get("ETag") };
const patch = await fetch(session, { method: "PATCH", headers, body: [...about, ...candidates, "a=end-of-candidates\r\n"].join("") });
Object.assign(globalThis.boardcast.status, { post: answer.status, patch: patch.status, candidates: candidates.length });
globalThis.boardcast.hangUp = async () => (await fetch(session, { method: "DELETE" })).status;
