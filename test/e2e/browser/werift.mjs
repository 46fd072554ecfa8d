// A player of WHEP in werift, a WebRTC of its own in TypeScript, that says in JSON on stdout what it plays each 100 ms:
// {state, tracks: [{kind, stream, codec, packets, frames, keyframes}]}. It ends with its stdin, and hangs up then.
//
//   node werift.mjs URL h264|vp8
import { H264RtpPayload, RTCPeerConnection, useH264, useOPUS, useVP8, Vp8RtpPayload } from "werift";

const [url, picture] = process.argv.slice(2);
const video = { h264: useH264, vp8: useVP8 }[picture]();
const depacketizer = { h264: H264RtpPayload, vp8: Vp8RtpPayload }[picture];
const pc = new RTCPeerConnection({ codecs: { video: [video], audio: [useOPUS()] }, iceServers: [], iceUseIpv6: false });
const tracks = [];

pc.ontrack = ({ track, streams }) => {
  const seen = { kind: track.kind, stream: streams[0]?.id ?? "", codec: "", packets: 0, frames: 0, keyframes: 0 };
  tracks.push(seen);
  track.onReceiveRtp.subscribe((rtp) => {
    seen.codec = track.codec?.mimeType ?? "";
    seen.packets++;
    if (track.kind !== "video") return;
    if (rtp.header.marker) seen.frames++;
    if (depacketizer.deSerialize(rtp.payload).isKeyframe) seen.keyframes++;
  });
};
for (const kind of ["video", "audio"]) pc.addTransceiver(kind, { direction: "recvonly" });
await pc.setLocalDescription(await pc.createOffer());
const gathered = () => pc.iceGatheringState === "complete";
if (!gathered()) await pc.iceGatheringStateChange.watch(gathered);
const body = pc.localDescription.sdp;
const response = await fetch(url, { method: "POST", headers: { "Content-Type": "application/sdp" }, body });
const text = await response.text();
if (response.status !== 201) throw new Error(`POST answered ${response.status}: ${text}\n${body}`);
await pc.setRemoteDescription({ type: "answer", sdp: text });
const timer = setInterval(() => console.log(JSON.stringify({ state: pc.connectionState, tracks })), 100);
for await (const _ of process.stdin); // until it ends
clearInterval(timer);
await fetch(new URL(response.headers.get("Location"), url), { method: "DELETE" });
await pc.close();
process.exit(0);
