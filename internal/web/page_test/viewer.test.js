import assert from "node:assert/strict";
import { test } from "node:test";

import { playingText } from "../page/viewer.js";
import { make, playing, session } from "./viewer_fakes.js";

test("the way to a picture, in words", async () => {
  const made = make();
  const { viewer, signalling, clock } = made;
  assert.equal(viewer.text, "Connecting to the camera…");
  signalling.go("registering");
  signalling.go("registered");
  signalling.go("calling");
  assert.deepEqual([viewer.state, viewer.text], ["calling", "Calling the camera…"]);
  signalling.on.error({ reason: "not-found", text: "" });
  assert.deepEqual([viewer.state, viewer.text], ["waiting", "No camera is registered as 'camera' yet, trying again"]);
  signalling.go("calling");
  assert.equal(viewer.state, "waiting", "no flicker while it tries again");
  signalling.on.error({ reason: "busy", text: "" });
  assert.deepEqual([viewer.state, viewer.text], ["busy", "The camera 'camera' is busy with other viewers, trying again"]);
  await clock.pass(50);
  const player = session(made);
  assert.deepEqual([viewer.state, viewer.text], ["calling", "Waiting for the picture…"]);
  assert.deepEqual(signalling.sent, ["OFFER_REQUEST"]);
  signalling.on.message({ type: "sdp" });
  assert.deepEqual(player.received, [{ type: "sdp" }]);
  await clock.pass(100);
  player.connect();
  await clock.pass(100);
  player.frames(1);
  viewer.frameShown();
  await clock.pass(0);
  assert.deepEqual([viewer.state, viewer.text], ["playing", "Playing 640×480 · H264"]);
  assert.deepEqual(viewer.timings, { opened: 50, connected: 150, firstFrame: 250 });
  for (let n = 0; n < 3; n++) {
    player.frames(30);
    await clock.pass(1000);
  }
  assert.equal(viewer.text, "Playing 640×480 · H264 · 30 fps");
});

test("a picture nobody reported is found in the statistics", async () => {
  const made = make();
  const player = session(made);
  player.connect();
  player.frames(3);
  await made.clock.pass(1000);
  assert.equal(made.viewer.state, "playing");
});

test("losing the socket", async (t) => {
  for (const code of [1001, 1006, 1011]) {
    await t.test(`by ${code} leaves the picture alone`, async () => {
      const { viewer, signalling, player, clock } = await playing();
      signalling.on.lost({ code, inSession: true });
      for (const state of ["waiting", "connecting", "registering", "registered"]) {
        signalling.go(state);
        assert.equal(viewer.state, "playing");
      }
      for (let n = 0; n < 20; n++) {
        player.frames(30);
        await clock.pass(1000);
      }
      assert.equal(viewer.state, "playing");
      assert.equal(player.closed, false);
      assert.equal(signalling.rested, 1);
      assert.deepEqual(signalling.calls, [0], "only the first call");
    });
  }
  await t.test("in order, by the partner, ends the session", async () => {
    const { viewer, signalling, player } = await playing();
    signalling.on.lost({ code: 1000, inSession: true });
    assert.equal(player.closed, true);
    assert.deepEqual([viewer.state, viewer.text], ["reconnecting", "The camera has ended the session. Calling again…"]);
    assert.equal(signalling.calls.length, 2);
  });
  await t.test("in order, without a session, leaves the picture alone", async () => {
    const { viewer, signalling, player } = await playing();
    signalling.on.lost({ code: 1006, inSession: true });
    signalling.on.lost({ code: 1000, inSession: false });
    assert.deepEqual([viewer.state, player.closed], ["playing", false]);
  });
  await t.test("before the media connect ends the attempt", () => {
    const made = make();
    const player = session(made);
    made.signalling.on.lost({ code: 1006, inSession: true });
    assert.equal(player.closed, true);
    assert.equal(made.signalling.rested, 0);
    assert.deepEqual([made.viewer.state, made.viewer.text], ["connecting", "The server does not answer yet, trying again"]);
    made.signalling.go("connecting");
    assert.equal(made.viewer.text, "The server does not answer yet, trying again", "no flicker");
  });
  await t.test("after a picture says so", async () => {
    const { viewer, signalling, player } = await playing();
    player.on.connection("failed");
    signalling.on.lost({ code: 1006, inSession: false });
    assert.deepEqual([viewer.state, viewer.text], ["reconnecting", "The connection to the camera is lost. Reconnecting…"]);
    signalling.go("connecting");
    assert.equal(viewer.state, "reconnecting");
  });
});

test("media that die are called again", async (t) => {
  for (const state of ["failed", "closed"]) {
    await t.test(`connection ${state}`, async () => {
      const { viewer, signalling, player } = await playing();
      player.on.connection(state);
      assert.deepEqual([viewer.state, viewer.player, player.closed], ["reconnecting", null, true]);
      assert.deepEqual(signalling.calls, [0, 300]);
    });
  }
  await t.test("disconnected may heal", async () => {
    const { viewer, player, clock } = await playing();
    player.on.connection("disconnected");
    await clock.pass(3000);
    player.frames(10);
    await clock.pass(3000);
    assert.equal(viewer.state, "playing");
  });
  await t.test("no frame for ten seconds: a viewer on a slow link gets one each five, or a little less", async () => {
    const { viewer, signalling, player, clock } = await playing();
    await clock.pass(9900);
    assert.equal(viewer.state, "playing");
    await clock.pass(1200);
    assert.deepEqual([viewer.state, player.closed], ["reconnecting", true]);
    assert.equal(viewer.text, "The picture has stopped. Reconnecting…");
    assert.equal(signalling.calls.length, 2);
  });
  await t.test("sound does not stand for a picture", async () => {
    const { viewer, player, clock } = await playing();
    for (let n = 0; n < 12; n++) {
      player.sample.audioPackets += 50;
      await clock.pass(1000);
    }
    assert.equal(viewer.state, "reconnecting");
  });
  await t.test("no frame for two seconds after the streamer said farewell", async () => {
    const { viewer, player, clock } = await playing();
    player.channel = { readyState: "closed" };
    await clock.pass(3100);
    assert.equal(viewer.state, "reconnecting");
  });
  await t.test("nothing at all, and no answer, for two and a half seconds", async () => {
    const { viewer, player, clock } = await playing();
    const asked = player.tells(5000);
    await clock.pass(2000); // heard at the first look
    assert.equal(viewer.state, "playing");
    assert.ok(asked.length > 0, "it asks before it judges");
    await clock.pass(1600);
    assert.deepEqual([viewer.state, player.closed], ["reconnecting", true]);
    assert.equal(viewer.text, "The camera is not reached any more. Reconnecting…");
  });
  await t.test("an answer is a sign of life", async () => {
    const { viewer, player, clock } = await playing();
    const asked = player.tells(5000);
    for (let n = 0; n < 8; n++) {
      await clock.pass(500);
      asked.at(-1)?.();
    }
    assert.equal(viewer.state, "playing");
  });
  await t.test("so is anything that comes in, picture or not", async () => {
    const { viewer, player, clock } = await playing();
    player.tells(5000);
    for (let n = 0; n < 4; n++) {
      await clock.pass(2000);
      player.sample.received += 40;
    }
    assert.equal(viewer.state, "playing");
    await clock.pass(2000);
    assert.equal(viewer.text, "The picture has stopped. Reconnecting…");
  });
  await t.test("a streamer that cannot be asked is given its time", async () => {
    const { viewer, player, clock } = await playing();
    player.sample.received = 5000;
    await clock.pass(9900);
    assert.equal(viewer.state, "playing");
  });
  await t.test("a slow picture lives", async () => {
    const { viewer, player, clock } = await playing();
    for (let n = 0; n < 10; n++) {
      await clock.pass(8000);
      player.frames(1);
    }
    assert.equal(viewer.state, "playing");
  });
});

test("a page that nobody sees does not count silence", async () => {
  let hidden = true;
  const { viewer, player, clock } = await playing({ hidden: () => hidden });
  await clock.pass(60_000);
  assert.equal(viewer.state, "playing");
  hidden = false;
  await clock.pass(4000);
  player.frames(1);
  await clock.pass(4000);
  assert.equal(viewer.state, "playing", "silence counts from when somebody looks");
  await clock.pass(7000);
  assert.equal(viewer.state, "reconnecting");
});

test("attempts that come to nothing", async (t) => {
  await t.test("no connection for 20 s", async () => {
    const made = make();
    session(made);
    await made.clock.pass(19_900);
    assert.equal(made.viewer.state, "calling");
    await made.clock.pass(200);
    assert.deepEqual([made.viewer.state, made.viewer.text], ["reconnecting", "The camera could not be reached. Trying again…"]);
  });
  await t.test("a late connection has its time for the first frame", async () => {
    const made = make();
    const player = session(made);
    await made.clock.pass(15_000);
    player.connect();
    await made.clock.pass(8_000);
    assert.equal(made.viewer.state, "calling");
  });
  await t.test("connected, but no frame for 10 s", async () => {
    const made = make();
    const player = session(made);
    player.connect();
    const pass = async (seconds) => {
      for (let n = 0; n < seconds; n++) {
        player.sample.audioPackets += 50; // sound does not stand for the picture
        await made.clock.pass(1_000);
      }
    };
    await pass(10);
    assert.equal(made.viewer.state, "calling");
    await pass(2);
    assert.equal(made.viewer.state, "reconnecting");
  });
  await t.test("come later each time, and at once again after ten seconds of picture", async () => {
    const made = make();
    for (let n = 0; n < 4; n++) session(made).on.connection("failed");
    assert.deepEqual(made.signalling.calls.map(Math.round), [0, 300, 510, 867, 1474]);
    const player = session(made);
    player.connect();
    for (let n = 0; n < 12; n++) {
      player.frames(30);
      await made.clock.pass(1000);
    }
    assert.equal(made.signalling.settledTimes, 1);
    player.on.connection("failed");
    assert.equal(made.signalling.calls.at(-1), 300);
  });
  await t.test("an offer the browser refuses", () => {
    const made = make();
    session(made).on.failed(new Error("no such codec"));
    assert.deepEqual([made.viewer.state, made.viewer.text], ["error", "The browser cannot play this camera: no such codec"]);
    made.signalling.go("calling");
    assert.equal(made.viewer.state, "error", "the words stay while it tries again");
  });
  await t.test("a browser without WebRTC", () => {
    const made = make({
      player: () => {
        throw new Error("RTCPeerConnection is not defined");
      },
    });
    session(made);
    assert.equal(made.viewer.state, "error");
    assert.equal(made.viewer.player, null);
  });
  await t.test("what an old session says is not heard", () => {
    const made = make();
    const old = session(made);
    const player = session(made);
    assert.equal(old.closed, true);
    old.on.connection("failed");
    old.on.failed(new Error("late"));
    old.send("late");
    assert.equal(made.viewer.player, player);
    assert.deepEqual(made.signalling.sent, ["OFFER_REQUEST", "OFFER_REQUEST"]);
  });
});

test("a camera that refuses what it is answered", async () => {
  const made = make();
  const delays = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    const player = session(made);
    const calls = made.signalling.calls.length;
    made.signalling.on.error({ reason: "peer", text: "section 0: no codec in common" });
    assert.deepEqual(
      [made.viewer.state, made.viewer.text, player.closed],
      ["error", "The camera refuses this browser: section 0: no codec in common", true],
    );
    assert.equal(made.signalling.calls.length, calls + 1, "it asks once more");
    delays.push(made.signalling.calls.at(-1));
    made.signalling.go("connecting");
    assert.equal(made.viewer.state, "error", "the words stay while it tries again");
  }
  assert.ok(delays[0] > 100 && delays.every((delay, i) => i === 0 || delay >= delays[i - 1]), `${delays}`);
  assert.ok(delays.at(-1) >= 2500, `it slows down: ${delays}`);
});

test("errors of the server", async (t) => {
  await t.test("in a session that plays are passed over", async () => {
    const { viewer, player, signalling } = await playing();
    signalling.on.error({ reason: "other", text: "?" });
    assert.deepEqual([viewer.state, player.closed], ["playing", false]);
  });
  await t.test("in a session that does not play yet end it", () => {
    const made = make();
    const player = session(made);
    made.signalling.on.error({ reason: "other", text: "odd" });
    assert.deepEqual([made.viewer.state, made.viewer.text], ["error", "The signalling server says: odd"]);
    assert.equal(player.closed, true);
    assert.equal(made.signalling.calls.at(-1), 300);
  });
  await t.test("a server that cannot be used", () => {
    const made = make();
    made.signalling.on.error({ reason: "refused", text: "bad address" });
    assert.deepEqual([made.viewer.state, made.viewer.text], ["error", "The signalling server cannot be used: bad address"]);
  });
});

test("sound without a picture", async (t) => {
  await t.test("by the camera's choice", async () => {
    const made = make();
    const player = session(made);
    player.videoTracks = [];
    player.connect();
    player.sample.audioPackets = 50;
    await made.clock.pass(1000);
    assert.deepEqual([made.viewer.state, made.viewer.text], ["playing", "Playing sound only"]);
    await made.clock.pass(11_000);
    assert.equal(made.viewer.state, "reconnecting", "its silence is noticed too");
  });
  await t.test("for want of the codec", async () => {
    const made = make();
    const player = session(made);
    player.videoTracks = [];
    player.videoRefused = true;
    player.on.offer();
    assert.equal(made.viewer.text, "This browser cannot play the camera's video format");
    player.connect();
    player.sample.audioPackets = 50;
    await made.clock.pass(1000);
    assert.equal(made.viewer.text, "Playing sound only. This browser cannot play the camera's video format");
  });
});

test("stop ends everything", async () => {
  const { viewer, player, signalling, clock } = await playing();
  viewer.stop();
  assert.deepEqual([player.closed, signalling.state], [true, "stopped"]);
  await clock.pass(60_000);
  assert.equal(clock.pending, 0);
  assert.equal(signalling.calls.length, 1);
});

test("stop while the statistics are taken", async () => {
  const { viewer, player, clock } = await playing();
  let taken;
  player.stats = () => new Promise((resolve) => (taken = resolve));
  await clock.pass(1000);
  viewer.stop();
  taken(null);
  await clock.pass(0);
  assert.equal(clock.pending, 0);
});

test("words for what plays", () => {
  const sample = { framesDecoded: 9, audioPackets: 9, width: 1280, height: 720, codec: "VP8", framesPerSecond: 29.7 };
  assert.equal(playingText(sample), "Playing 1280×720 · VP8 · 30 fps");
  assert.equal(playingText({ ...sample, codec: null }), "Playing 1280×720 · 30 fps");
  assert.equal(playingText({ ...sample, width: null, framesPerSecond: null }), "Playing · VP8");
  assert.equal(playingText(null), "Playing");
});

test("a key that is not right any more ends the picture for good", async (t) => {
  const ways = {
    "the socket says so": ({ signalling }) => signalling.on.lost({ code: 4401, inSession: true }),
    "the page finds out": ({ viewer }) => viewer.lock(),
  };
  for (const [name, lock] of Object.entries(ways)) {
    await t.test(name, async () => {
      const made = await playing();
      const calls = made.signalling.calls.length;
      lock(made);
      assert.deepEqual([made.viewer.state, made.viewer.player, made.signalling.state], ["locked", null, "stopped"]);
      assert.match(made.viewer.text, /locked: its key was changed/);
      assert.ok(made.player.closed, "the picture goes");
      await made.clock.pass(60_000);
      assert.equal(made.viewer.state, "locked");
      assert.equal(made.signalling.calls.length, calls, "nothing is tried again");
      assert.equal(made.clock.pending, 0);
    });
  }
});
