import assert from "node:assert/strict";
import { test } from "node:test";

import { Servers } from "../page/servers.js";

const turn = (credential) => [{ urls: ["stun:a"] }, { urls: ["turn:a"], username: "u", credential }];

function make(list, ...answers) {
  const asked = [];
  const clock = { now: 1_000 };
  const servers = new Servers(list, async () => (asked.push(clock.now), answers.shift()), () => clock.now);
  return { servers, clock, asked };
}

test("fresh servers are used as they are", () => {
  const { servers, clock, asked } = make(turn("old"));
  clock.now += 4_000;
  assert.equal(servers.renew(), null);
  assert.deepEqual(asked, []);
});

test("old credentials are renewed, once", async () => {
  const { servers, clock, asked } = make(turn("old"), turn("new"));
  clock.now += 6_000;
  assert.deepEqual(await servers.renew(), turn("new"));
  assert.deepEqual(servers.list, turn("new"));
  assert.equal(servers.renew(), null);
  assert.deepEqual(asked, [7_000]);
});

test("servers without a credential are never asked for again", () => {
  const { servers, clock } = make([{ urls: ["stun:a"] }]);
  clock.now += 1e9;
  assert.equal(servers.renew(), null);
});

test("where there is no answer, the old ones stay", async () => {
  const { servers, clock } = make(turn("old"), []);
  clock.now += 6_000;
  assert.deepEqual(await servers.renew(), turn("old"));
});
