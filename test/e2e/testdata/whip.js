// The media half of a WHIP server: the test hands it an offer and takes the answer, candidates included.
const video = document.querySelector("video");
document.getElementById("sound").onclick = () => (video.muted = false);
globalThis.boardcast = { pc: null, state: "waiting" };
globalThis.take = async (sdp) => {
  const pc = new RTCPeerConnection();
  Object.assign(globalThis.boardcast, { pc, state: "connecting" });
  pc.ontrack = ({ streams }) => (video.srcObject = streams[0]);
  pc.onconnectionstatechange = () => (globalThis.boardcast.state = pc.connectionState === "connected" ? "playing" : pc.connectionState);
  const gathered = new Promise((done) => (pc.onicecandidate = ({ candidate }) => candidate || done()));
  await pc.setRemoteDescription({ type: "offer", sdp });
  await pc.setLocalDescription();
  await gathered;
  return pc.localDescription.sdp;
};
globalThis.drop = () => globalThis.boardcast.pc?.close();
