import assert from "node:assert/strict";
import { test } from "node:test";

import { receives, sections, sends } from "../page/sdp.js";
import { FrameRate, Liveness, summarise } from "../page/stats.js";

const offer = [
  "v=0",
  "o=- 1 0 IN IP4 0.0.0.0",
  "s=-",
  "m=video 9 UDP/TLS/RTP/SAVPF 96",
  "a=mid:video0",
  "a=sendonly",
  "m=audio 9 UDP/TLS/RTP/SAVPF 97",
  "a=sendrecv",
  "a=mid:audio1",
  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
  "a=mid:application2",
  "",
];
const join = (lines, ...changes) => changes.reduce((text, [from, to]) => text.replace(from, to), lines.join("\r\n"));

test("sections of a description", async (t) => {
  await t.test("as written", () => {
    assert.deepEqual(sections(join(offer)), [
      { kind: "video", mid: "video0", direction: "sendonly", rejected: false },
      { kind: "audio", mid: "audio1", direction: "sendrecv", rejected: false },
      { kind: "application", mid: "application2", direction: "sendrecv", rejected: false },
    ]);
  });
  await t.test("none", () => assert.deepEqual(sections("v=0\r\n"), []));
  await t.test("bare newlines", () => assert.equal(sections(offer.join("\n")).length, 3));
});

test("who wants what", async (t) => {
  const tests = [
    ["talkback", join(offer), "audio", true, true],
    ["a picture one way", join(offer), "video", true, false],
    ["no talkback", join(offer, ["a=sendrecv", "a=sendonly"]), "audio", true, false],
    ["talkback without a microphone", join(offer, ["a=sendrecv", "a=recvonly"]), "audio", false, true],
    ["inactive", join(offer, ["a=sendrecv", "a=inactive"]), "audio", false, false],
    ["rejected", join(offer, ["m=audio 9", "m=audio 0"]), "audio", false, false],
    ["bundled on the first port", join(offer, ["m=audio 9", "m=audio 0"], ["a=mid:audio1", "a=bundle-only"]), "audio", true, true],
    ["direction for the whole session", join(offer, ["s=-", "s=-\r\na=sendonly"], ["a=sendrecv\r\n", ""]), "audio", true, false],
    ["direction by default", join(offer, ["a=sendrecv\r\n", ""]), "audio", true, true],
    ["no such section", "v=0\r\n", "audio", false, false],
  ];
  for (const [name, sdp, kind, wantSends, wantReceives] of tests) {
    await t.test(name, () => {
      assert.equal(sends(sdp, kind), wantSends);
      assert.equal(receives(sdp, kind), wantReceives);
    });
  }
});

const report = (...entries) => new Map(entries.map((entry) => [entry.id, entry]));

test("summary of statistics", async (t) => {
  const video = {
    id: "v",
    type: "inbound-rtp",
    kind: "video",
    codecId: "c1",
    frameWidth: 640,
    frameHeight: 480,
    framesDecoded: 90,
    framesPerSecond: 30,
    bytesReceived: 1000,
    lastPacketReceivedTimestamp: 10,
  };
  const codec = { id: "c1", type: "codec", mimeType: "video/H264" };
  await t.test("a stream", () => {
    const got = summarise(
      report(
        video,
        codec,
        { id: "a", type: "inbound-rtp", kind: "audio", codecId: "c2", packetsReceived: 50, totalAudioEnergy: 1.5 },
        { id: "c2", type: "codec", mimeType: "audio/opus" },
        { id: "o", type: "outbound-rtp", kind: "audio", packetsSent: 7 },
        { id: "t", type: "transport", selectedCandidatePairId: "p" },
        { id: "p", type: "candidate-pair", currentRoundTripTime: 0.002 },
      ),
    );
    const { width, height, framesDecoded, codec: name, audioCodec, audioEnergy, audioPackets, audioPacketsSent, roundTripTime } = got;
    assert.deepEqual(
      { width, height, framesDecoded, name, audioCodec, audioEnergy, audioPackets, audioPacketsSent, roundTripTime },
      {
        width: 640,
        height: 480,
        framesDecoded: 90,
        name: "H264",
        audioCodec: "opus",
        audioEnergy: 1.5,
        audioPackets: 50,
        audioPacketsSent: 7,
        roundTripTime: 0.002,
      },
    );
  });
  await t.test("a pair as Firefox marks it", () => {
    const got = summarise(report({ id: "p", type: "candidate-pair", selected: true, currentRoundTripTime: 0.5 }));
    assert.equal(got.roundTripTime, 0.5);
  });
  await t.test("what has come in, by transport, else by pair, else not known", () => {
    const pairs = [{ id: "p", type: "candidate-pair", bytesReceived: 5 }, { id: "q", type: "candidate-pair", bytesReceived: 6 }];
    assert.equal(summarise(report(...pairs, { id: "t", type: "transport", bytesReceived: 7 })).received, 7);
    assert.equal(summarise(report(...pairs, { id: "t", type: "transport" })).received, 11);
    assert.equal(summarise(report(video)).received, null);
  });
  await t.test("nothing yet", () => {
    const got = summarise(report());
    assert.equal(got.framesDecoded, 0);
    assert.equal(got.audioPackets, 0);
    assert.equal(got.width, null);
    assert.equal(got.codec, null);
  });
  await t.test("after a renegotiation: the latest picture, all frames", () => {
    const later = { ...video, id: "w", codecId: null, frameWidth: 320, framesDecoded: 5, lastPacketReceivedTimestamp: 20 };
    for (const order of [[video, codec, later], [later, codec, video]]) {
      const got = summarise(report(...order));
      assert.equal(got.width, 320);
      assert.equal(got.framesDecoded, 95);
    }
  });
});

test("liveness", async (t) => {
  await t.test("grows while the counter stands", () => {
    const l = new Liveness();
    assert.deepEqual([[5, 0], [5, 1000], [5, 2000], [6, 3000], [6, 4000]].map(([n, at]) => l.silence(n, at)), [0, 1000, 2000, 0, 1000]);
  });
  await t.test("a counter that begins anew is a sign of life", () => {
    const l = new Liveness();
    l.silence(100, 0);
    assert.equal(l.silence(1, 1000), 0);
  });
  await t.test("sleep of the page is no silence of the stream", () => {
    const l = new Liveness();
    l.silence(5, 0);
    assert.equal(l.silence(5, 60_000), 0);
    assert.equal(l.silence(5, 61_000), 1000);
  });
});

test("frame rate", () => {
  const r = new FrameRate();
  assert.equal(r.measure(0, 0), null);
  assert.equal(r.measure(10, 100), null, "too soon to tell");
  assert.equal(r.measure(30, 1000), 30);
  assert.equal(r.measure(31, 1050), 30, "holds in between");
  assert.equal(r.measure(45, 2000), 15);
  assert.equal(r.measure(3, 3000), 15, "counters that begin anew are not measured");
  assert.equal(r.measure(23, 4000), 20);
});
