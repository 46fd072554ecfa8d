import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as messages from "../page/messages.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url)));

test("what we write to the server", async (t) => {
  for (const { name, word, argument, text } of golden.client) {
    await t.test(name, () => assert.equal(messages[word](argument), text));
  }
});

test("what the server and the peer say", async (t) => {
  for (const { name, text, message } of [...golden.server, ...golden.peer]) {
    await t.test(name, () => assert.deepEqual(messages.parse(text), message));
  }
});

test("what we write to the peer", async (t) => {
  const print = {
    "offer-request": () => messages.OFFER_REQUEST,
    sdp: ({ sdp }) => messages.sdp(sdp),
    ice: ({ ice }) => messages.ice(ice),
  };
  for (const { name, text, message } of golden.peer.filter((example) => example.print)) {
    await t.test(name, () => assert.equal(print[message.type](message), text));
  }
});

test("what means nothing", async (t) => {
  for (const { name, text } of golden.ignored) {
    await t.test(name, () => assert.equal(messages.parse(text).type, "unknown"));
  }
});

test("every cut of a message is taken without failing", () => {
  for (const { text } of [...golden.server, ...golden.peer]) {
    for (let end = 0; end <= text.length; end++) assert.ok(messages.parse(text.slice(0, end)).type);
  }
});
