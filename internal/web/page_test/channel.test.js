import assert from "node:assert/strict";
import { test } from "node:test";

import { Requests } from "../page/channel.js";
import { FakeClock } from "./fakes.js";

class FakeChannel extends EventTarget {
  readyState = "open";
  sent = [];

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  say(data) {
    this.dispatchEvent(Object.assign(new Event("message"), { data: typeof data === "string" ? data : JSON.stringify(data) }));
  }

  drop() {
    this.readyState = "closed";
    this.dispatchEvent(new Event("close"));
  }
}

function make() {
  const channel = new FakeChannel();
  const clock = new FakeClock();
  return { channel, clock, requests: new Requests(channel, clock) };
}

test("a request gets its own answer", async () => {
  const { channel, clock, requests } = make();
  const ping = requests.request("ping");
  const stats = requests.request("stats", { full: true });
  assert.deepEqual(channel.sent, [
    { id: 1, method: "ping", params: {} },
    { id: 2, method: "stats", params: { full: true } },
  ]);
  channel.say({ id: 2, result: { rms: -20 } });
  channel.say({ id: 1, result: { pong: true } });
  assert.deepEqual(await ping, { pong: true });
  assert.deepEqual(await stats, { rms: -20 });
  assert.equal(clock.pending, 0, "no timer is left");
});

test("a request fails", async (t) => {
  const failures = {
    "with the streamer's words": [({ channel }) => channel.say({ id: 1, error: { message: "no such method" } }), /no such method/],
    "when the channel closes": [({ channel }) => channel.drop(), /closed/],
    "when nobody answers": [({ clock }) => clock.pass(10_000), /no answer to ping/],
  };
  for (const [name, [cause, words]] of Object.entries(failures)) {
    await t.test(name, async () => {
      const made = make();
      const answer = assert.rejects(made.requests.request("ping"), words);
      await cause(made);
      await answer;
    });
  }
  await t.test("before the channel is open", async () => {
    const { channel, requests } = make();
    channel.readyState = "connecting";
    await assert.rejects(requests.request("ping"), /not open/);
    assert.deepEqual(channel.sent, []);
  });
});

test("the greeting is kept", () => {
  const { channel, requests } = make();
  assert.equal(requests.greeting, null);
  channel.say({ hello: "boardcast", version: "1.0" });
  assert.deepEqual(requests.greeting, { hello: "boardcast", version: "1.0" });
});

test("what answers nothing is ignored", async () => {
  const { channel, requests } = make();
  const ping = requests.request("ping");
  const noise = ["Hi! from GStreamer", "", "null", "7", "[]", "{}", '{"id":9,"result":1}', '{"error":{"message":"malformed"}}', '{"id":"1","result":2}'];
  for (const text of noise) channel.say(text);
  channel.dispatchEvent(Object.assign(new Event("message"), { data: new ArrayBuffer(4) }));
  channel.say({ id: 1, result: "mine" });
  channel.say({ id: 1, result: "again" });
  assert.equal(await ping, "mine");
});

test("a word on our voice is no answer to a request", async () => {
  const { channel, requests } = make();
  const told = [];
  requests.talk = (status) => told.push(status);
  const ping = requests.request("ping");
  channel.say({ talk: { state: "failed", reason: "busy" } });
  channel.say({ talk: 5 });
  channel.say({ id: 1, result: { pong: true } });
  assert.deepEqual(told, [{ state: "failed", reason: "busy" }]);
  assert.deepEqual(await ping, { pong: true });
});
