// Two RTCPeerConnections of one page, a moving canvas and a tone between them: what the harness proves itself against.
const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
const context = canvas.getContext("2d");
let frame = 0;
setInterval(() => {
  context.fillStyle = `hsl(${(frame * 5) % 360} 90% 50%)`;
  context.fillRect(0, 0, 320, 240);
  context.fillStyle = "white";
  context.fillRect((frame++ * 4) % 320, 60, 80, 120);
}, 33);

const sound = new AudioContext();
const tone = sound.createOscillator();
const out = sound.createMediaStreamDestination();
tone.connect(out);
tone.start();

document.getElementById("sound").onclick = () => {
  sound.resume();
  document.querySelector("video").muted = false;
};

const from = new RTCPeerConnection();
const to = new RTCPeerConnection();
globalThis.boardcast = { state: "connecting", pc: to };
for (const [one, other] of [[from, to], [to, from]]) {
  one.onicecandidate = ({ candidate }) => candidate && other.addIceCandidate(candidate);
}
to.ontrack = ({ streams }) => {
  document.querySelector("video").srcObject = streams[0];
};
to.onconnectionstatechange = () => {
  if (to.connectionState === "connected") globalThis.boardcast.state = "playing";
};

const stream = new MediaStream([...canvas.captureStream(30).getTracks(), ...out.stream.getTracks()]);
stream.getTracks().forEach((track) => from.addTrack(track, stream));
negotiate(async () => {
  await from.setLocalDescription();
  await to.setRemoteDescription(from.localDescription);
  await to.setLocalDescription();
  await from.setRemoteDescription(to.localDescription);
});

async function negotiate(steps) {
  try {
    await steps();
    console.log("negotiated");
  } catch (e) {
    globalThis.boardcast.state = "error";
    console.log(`negotiate: ${e}`);
  }
}
