import assert from "node:assert/strict";
import { test } from "node:test";

import { withoutKey } from "../page/address.js";

test("the key leaves the address, and nothing else does", () => {
  const cases = {
    "http://board:8080/?key=abc": "http://board:8080/",
    "http://board:8080/?camera=rear&key=abc#peer=7&ws=ws://x": "http://board:8080/?camera=rear#peer=7&ws=ws://x",
    "https://host/porch/?key=abc&key=def": "https://host/porch/",
    "https://host/porch/key?camera=rear": "https://host/porch/?camera=rear",
    "https://host/index.html?key=": "https://host/",
  };
  for (const [given, want] of Object.entries(cases)) assert.equal(withoutKey(given), want, given);
});
