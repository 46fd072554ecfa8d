// The browser side of the classic sendrecv demo, in any of its roles, by the fragment:
//   ws=URL  id=ID                     register and wait: answer an offer, make one when told OFFER_REQUEST
//   call=ID                           call that peer (again, as long as the server doesn't know it)
//   room=ROOM                         be in a room instead: call every member that is there already
//   first=offer|request|none          the caller makes the offer, asks for one, or (in a room) waits to be called
//   own=1                             send a picture and sound of its own
//   steps=2                           offer the data channel first, the media in a second offer (the pages of 2025)
// Like the demo's page it makes a data channel of its own and replies to every message on any channel.
const want = new URLSearchParams(location.hash.slice(1));
const video = document.querySelector("video");
const page = { state: "connecting", text: "", pc: null, channel: null, partner: "", messages: [], left: [], closed: 0 };
globalThis.boardcast = page;

document.getElementById("sound").onclick = () => {
  video.muted = false;
};

const ws = new WebSocket(want.get("ws"));
ws.onopen = () => ws.send(`HELLO ${want.get("id")}`);
ws.onclose = ({ code }) => {
  page.closed = code;
};
let queue = Promise.resolve();
ws.onmessage = ({ data }) => {
  queue = queue.then(() => receive(data)).catch((e) => fail(`on ${data.slice(0, 60)}: ${e}`));
};

function fail(text) {
  Object.assign(page, { state: "error", text });
  console.log(text);
}

function tell(payload) {
  ws.send(want.get("room") ? `ROOM_PEER_MSG ${page.partner} ${payload}` : payload);
}

async function receive(text) {
  const [word, ...rest] = text.split(" ");
  if (text === "HELLO") {
    if (want.get("room")) ws.send(`ROOM ${want.get("room")}`);
    else page.state = "waiting";
    if (want.get("call")) ws.send(`SESSION ${want.get("call")}`);
  } else if (word === "SESSION_OK") {
    await begin(want.get("call"));
  } else if (word === "ROOM_OK") {
    page.state = "waiting";
    for (const id of rest.filter((id) => id)) await begin(id);
  } else if (word === "ROOM_PEER_JOINED" || word === "ROOM_PEER_LEFT") {
    if (word === "ROOM_PEER_LEFT") page.left.push(rest[0]);
  } else if (word === "ROOM_PEER_MSG") {
    page.partner = rest[0];
    await fromPeer(rest.slice(1).join(" "));
  } else if (word === "ERROR" && text.endsWith("not found")) {
    setTimeout(() => ws.send(`SESSION ${want.get("call")}`), 100);
  } else if (word === "ERROR") {
    fail(text);
  } else {
    await fromPeer(text);
  }
}

async function begin(partner) {
  if (want.get("first") === "none") return;
  page.partner = partner;
  page.state = "calling";
  if (want.get("first") === "request") tell("OFFER_REQUEST");
  else await offer();
}

async function fromPeer(text) {
  if (text === "OFFER_REQUEST") return offer();
  const { sdp, ice } = JSON.parse(text);
  if (ice) return page.pc.addIceCandidate(ice);
  if (sdp.type === "answer") {
    await page.pc.setRemoteDescription(sdp);
    return page.then?.();
  }
  connection();
  await page.pc.setRemoteDescription(sdp);
  if (want.get("own")) addOwn();
  await page.pc.setLocalDescription();
  tell(JSON.stringify({ sdp: page.pc.localDescription }));
}

async function offer() {
  connection();
  const media = () => {
    if (want.get("own")) return addOwn();
    page.pc.addTransceiver("video", { direction: "recvonly" });
    page.pc.addTransceiver("audio", { direction: "recvonly" });
  };
  const propose = async () => {
    await page.pc.setLocalDescription(await page.pc.createOffer());
    tell(JSON.stringify({ sdp: page.pc.localDescription }));
  };
  if (want.get("steps") === "2") {
    page.then = () => {
      page.then = null;
      media();
      return propose();
    };
  } else {
    media();
  }
  await propose();
}

function addOwn() {
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 120 });
  const context = canvas.getContext("2d");
  let frame = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${(frame++ * 7) % 360} 80% 50%)`;
    context.fillRect(0, 0, 160, 120);
  }, 50);
  const sound = new AudioContext().createMediaStreamDestination();
  const stream = new MediaStream([...canvas.captureStream(20).getTracks(), ...sound.stream.getTracks()]);
  for (const track of stream.getTracks()) page.pc.addTrack(track, stream);
}

function connection() {
  if (page.pc) page.pc.close();
  const pc = new RTCPeerConnection();
  page.pc = pc;
  pc.ontrack = ({ track, streams }) => {
    if (track.kind === "video") video.srcObject = streams[0] ?? new MediaStream([track]);
  };
  pc.onicecandidate = ({ candidate }) => candidate && tell(JSON.stringify({ ice: candidate }));
  pc.onconnectionstatechange = () => console.log(`connection ${pc.connectionState}`);
  pc.ondatachannel = ({ channel }) => {
    page.channel = channel;
    talk(channel);
  };
  talk(pc.createDataChannel("label"));
  video.requestVideoFrameCallback(() => {
    page.state = "playing";
  });
}

function talk(channel) {
  channel.onmessage = ({ data }) => {
    page.messages.push(typeof data === "string" ? data : "binary");
    channel.send("Hi! (from browser)");
  };
}
