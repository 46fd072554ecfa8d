import assert from "node:assert/strict";
import { test } from "node:test";

import { Talk } from "../page/talk.js";

test("without https the page says what there is to do", () => {
  globalThis.isSecureContext = false;
  const words = "Talking needs https: give the board the setting `tls: auto`, then open this page by https://";
  assert.equal(Talk.obstacle({ connected: true, canTalk: true }), words);
});

test("a voice that is not heard is said in words, until it is heard or talking ends", () => {
  let drawn = 0;
  const talk = new Talk(() => drawn++);
  const rows = [
    [{ state: "failed", reason: "Device or resource busy" }, "You are not heard: the speaker cannot be used (Device or resource busy)"],
    [{ state: "playing" }, null],
    [{ state: "replaced" }, "You are not heard: another viewer is talking"],
    [{ state: "" }, null],
    [{ state: "failed" }, "You are not heard: the speaker cannot be used"],
  ];
  for (const [status, words] of rows) {
    talk.told(status);
    assert.equal(talk.trouble, words);
  }
  assert.equal(drawn, rows.length);
  talk.stop();
  assert.equal(talk.trouble, null);
});
