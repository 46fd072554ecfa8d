import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Backoff, Signalling, randomID } from "../page/signalling.js";
import { FakeClock, fakeSockets, settle } from "./fakes.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url)));

/** A client on fakes, with the list of what it reported. */
function make(options = {}) {
  const clock = new FakeClock();
  const net = fakeSockets();
  const events = [];
  const on = {
    state: () => {},
    session: () => events.push("session"),
    message: (message) => events.push(message),
    error: ({ reason }) => events.push(reason),
    lost: (loss) => events.push(loss),
    ...options.on,
  };
  const client = new Signalling({
    url: "ws://host/ws",
    peer: "camera",
    id: () => "viewer-1",
    random: () => 0,
    WebSocket: net.WebSocket,
    clock,
    ...options,
    on,
  });
  return { client, clock, net, events };
}

/** Brings a client into a session. */
function joined(options) {
  const made = make(options);
  made.client.call();
  made.client.start();
  made.net.last().open();
  made.net.last().say("HELLO");
  made.net.last().say("SESSION_OK");
  assert.equal(made.client.state, "session");
  return made;
}

test("back-off", async (t) => {
  const take = (backoff, n) => Array.from({ length: n }, () => Math.round(backoff.next()));
  await t.test("grows to a second and waits there for a board that restarts", () => {
    const delays = take(new Backoff({ random: () => 0 }), 300);
    assert.deepEqual(delays.slice(0, 4), [300, 510, 867, 1000]);
    assert.equal(Math.max(...delays), 1000);
  });
  await t.test("grows on when nobody comes back for long", () => {
    const backoff = new Backoff({ random: () => 0 });
    take(backoff, 300);
    assert.deepEqual(take(backoff, 5), [1000, 1700, 2890, 4913, 5000]);
    assert.equal(Math.max(...take(backoff, 1000)), 5000);
  });
  await t.test("jitter takes off up to half", () => {
    assert.deepEqual(take(new Backoff({ random: () => 0.999999 }), 2), [150, 255]);
    const some = take(new Backoff(), 50).slice(3);
    assert.ok(some.every((delay) => delay >= 500 && delay <= 1000) && new Set(some).size > 10, String(some));
  });
  await t.test("begins anew after a reset", () => {
    const backoff = new Backoff({ random: () => 0 });
    take(backoff, 9);
    backoff.reset();
    assert.deepEqual(take(backoff, 1), [300]);
  });
});

test("ids differ and hold no blank", () => {
  const ids = Array.from({ length: 100 }, () => randomID());
  assert.equal(new Set(ids).size, 100);
  for (const id of ids) assert.match(id, /^viewer-[0-9a-f]{8}$/);
});

test("transcripts", async (t) => {
  for (const { name, steps } of golden.transcripts) {
    await t.test(name, async () => {
      const { client, clock, net } = make({
        on: {
          session: () => client.send("OFFER_REQUEST"),
          message: ({ type, sdp }) => {
            if (type === "sdp") client.send(JSON.stringify({ sdp: { type: "answer", sdp: sdp.sdp } }));
            else client.send('{"ice":{"candidate":"candidate:2","sdpMid":"0","sdpMLineIndex":0}}');
          },
        },
      });
      client.call();
      client.start();
      const socket = net.last();
      socket.open();
      const said = [];
      for (const step of steps) {
        if (step.server) socket.say(step.server);
        if (step.close) socket.drop(step.close);
        if (!step.client) continue;
        await clock.pass(1000);
        said.push(step.client);
        assert.deepEqual(socket.sent, said);
      }
      if (steps.at(-1).close) {
        await clock.pass(1000);
        assert.equal(net.sockets.length, 2, "comes back by itself");
      } else assert.equal(net.sockets.length, 1, "stays on one socket");
    });
  }
});

test("registers and waits when no session is asked for", async () => {
  const { client, clock, net } = make();
  client.start();
  net.last().open();
  net.last().say("HELLO");
  assert.equal(client.state, "registered");
  assert.deepEqual(net.last().sent, ["HELLO viewer-1"]);
  assert.equal(client.send("x"), false, "nothing goes out without a session");
  client.call();
  await clock.pass(0);
  assert.deepEqual(net.last().sent, ["HELLO viewer-1", "SESSION camera"]);
});

test("reports the losses as what they are", async (t) => {
  for (const code of [1000, 1001, 1006, 1011]) {
    await t.test(`${code} in a session`, () => {
      const { net, events } = joined();
      net.last().drop(code);
      assert.deepEqual(events.at(-1), { code, inSession: true });
    });
  }
  await t.test("outside a session", () => {
    const { client, net, events } = make();
    client.start();
    net.last().open();
    net.last().say("HELLO");
    net.last().drop(1000);
    assert.deepEqual(events, [{ code: 1000, inSession: false }]);
  });
});

test("a lost socket comes back without a new session when the media rest on none", async () => {
  const { client, clock, net } = joined({ on: { lost: () => client.rest() } });
  net.last().drop(1006);
  await clock.pass(400);
  net.last().open();
  net.last().say("HELLO");
  await clock.pass(60_000);
  assert.equal(net.sockets.length, 2);
  assert.equal(client.state, "registered");
  assert.deepEqual(net.last().sent, ["HELLO viewer-1"]);
  client.call(500); // now the media have failed
  await clock.pass(499);
  assert.equal(client.state, "registered");
  await clock.pass(1);
  assert.deepEqual(net.last().sent, ["HELLO viewer-1", "SESSION camera"]);
});

test("a new session needs a new registration", async () => {
  const { client, clock, net } = joined();
  client.call(700);
  assert.equal(net.last().closedWith, 1000, "the server hears an orderly end");
  await clock.pass(699);
  assert.equal(net.sockets.length, 1);
  await clock.pass(1);
  assert.equal(net.sockets.length, 2);
  net.last().open();
  net.last().say("HELLO");
  assert.deepEqual(net.last().sent, ["HELLO viewer-1", "SESSION camera"]);
});

test("a peer that is not there is called again on the same socket, later each time", async () => {
  const { client, clock, net, events } = make();
  client.call();
  client.start();
  net.last().open();
  net.last().say("HELLO");
  const at = [];
  for (let n = 0; n < 4; n++) {
    net.last().say("ERROR peer 'camera' not found");
    assert.equal(client.state, "registered");
    const before = clock.now();
    while (client.state === "registered") await clock.pass(1);
    at.push(clock.now() - before);
  }
  assert.deepEqual(at, [300, 510, 867, 1000]);
  assert.deepEqual(events, Array(4).fill("not-found"));
  assert.equal(net.sockets.length, 1);
});

test("another error while calling leads to a new socket", async () => {
  const { client, clock, net, events } = make();
  client.call();
  client.start();
  net.last().open();
  net.last().say("HELLO");
  net.last().say("ERROR invalid msg, already in room");
  assert.deepEqual(events, ["other"]);
  assert.equal(net.last().closedWith, 1000);
  await clock.pass(300);
  assert.equal(net.sockets.length, 2);
});

test("an error in a session is the peer's, whatever its words, and only reported", () => {
  const { client, net, events } = joined();
  net.last().say("ERROR the encoder is busy");
  assert.deepEqual(events, ["session", "peer"]);
  assert.equal(client.state, "session");
});

test("an error instead of a registration leads to a new socket", async () => {
  const { client, clock, net } = make();
  client.start();
  net.last().open();
  net.last().say("ERROR too many peers");
  assert.equal(client.state, "waiting");
  await clock.pass(300);
  assert.equal(net.sockets.length, 2);
});

test("silence is a loss", async (t) => {
  const stages = { "not opening": [], "HELLO unanswered": ["open"], "SESSION unanswered": ["open", "HELLO"] };
  for (const [name, steps] of Object.entries(stages)) {
    await t.test(name, async () => {
      const { client, clock, net, events } = make();
      client.call();
      client.start();
      for (const step of steps) {
        await clock.pass(5_000);
        step === "open" ? net.last().open() : net.last().say(step);
      }
      await clock.pass(9_999);
      assert.deepEqual(events, []);
      await clock.pass(1);
      assert.deepEqual(events, [{ code: 1006, inSession: false }]);
      assert.equal(net.sockets[0].closedWith, 1000);
    });
  }
});

test("a session may be silent", async () => {
  const { clock, net } = joined();
  await clock.pass(3_600_000);
  assert.equal(net.sockets.length, 1);
  assert.equal(clock.pending, 0);
});

test("what comes in the wrong state, or as binary, is ignored", () => {
  const { client, net, events } = make();
  client.start();
  const socket = net.last();
  socket.open();
  socket.say("SESSION_OK");
  socket.say('{"sdp":{"type":"offer","sdp":"v=0"}}');
  socket.say(new ArrayBuffer(5));
  assert.equal(client.state, "registering");
  socket.say("HELLO");
  socket.say("HELLO");
  socket.say("SESSION_OK");
  socket.say("OFFER_REQUEST");
  assert.equal(client.state, "registered");
  assert.deepEqual(events, []);
});

test("an old socket has no say", async () => {
  const { client, clock, net } = joined();
  const old = net.last();
  const { onmessage, onclose } = old;
  client.call(0);
  await clock.pass(0);
  onmessage({ data: "HELLO" });
  onclose({ code: 1006 });
  assert.equal(client.state, "connecting");
  assert.equal(net.sockets.length, 2);
});

test("a server that does not answer is not tried by WebSocket", async () => {
  let up = false;
  let asked = 0;
  const { clock, net } = joined({ reachable: async () => (asked++, up) });
  net.last().drop(1006);
  await clock.pass(5_000);
  assert.equal(net.sockets.length, 1);
  assert.ok(asked >= 5 && asked <= 8, `asked ${asked} times in 5 s`);
  up = true;
  await clock.pass(1_000);
  assert.equal(net.sockets.length, 2);
});

test("a socket that cannot be made is an error, tried again", async () => {
  let calls = 0;
  class Refusing {
    constructor() {
      calls++;
      throw new SyntaxError("no such scheme");
    }
  }
  const { client, clock, events } = make({ WebSocket: Refusing });
  client.start();
  assert.deepEqual(events, ["refused"]);
  await clock.pass(300);
  assert.equal(calls, 2);
});

test("the back-off begins anew after a registration that lasted", async (t) => {
  const lose = async (lasting) => {
    const { client, clock, net } = make();
    client.start();
    for (let n = 0; n < 6; n++) {
      net.last().open();
      net.last().say("HELLO");
      await clock.pass(lasting);
      net.last().drop(1006);
      const before = clock.now();
      const sockets = net.sockets.length;
      while (net.sockets.length === sockets) await clock.pass(1);
      var waited = clock.now() - before;
    }
    return waited;
  };
  await t.test("short", async () => assert.equal(await lose(100), 1000));
  await t.test("long", async () => assert.equal(await lose(6_000), 300));
});

test("waking up", async (t) => {
  await t.test("from the wait for a socket", async () => {
    const { client, net } = joined();
    net.last().drop(1006);
    client.wake();
    await settle();
    assert.equal(net.sockets.length, 2);
  });
  await t.test("from the wait for a peer", () => {
    const { client, net } = make();
    client.call();
    client.start();
    net.last().open();
    net.last().say("HELLO");
    net.last().say("ERROR peer 'camera' not found");
    client.wake();
    assert.equal(client.state, "calling");
  });
  await t.test("leaves a session, and a rest, alone", () => {
    const { client, net } = joined();
    client.wake();
    assert.equal(client.state, "session");
    assert.equal(net.sockets.length, 1);
    const idle = make();
    idle.client.start();
    idle.net.last().open();
    idle.net.last().say("HELLO");
    idle.client.wake();
    assert.equal(idle.client.state, "registered");
  });
});

test("stop is the end", async () => {
  const { client, clock, net } = joined();
  client.stop();
  assert.equal(net.last().closedWith, 1000);
  await clock.pass(60_000);
  assert.equal(net.sockets.length, 1);
  assert.equal(clock.pending, 0);
});
