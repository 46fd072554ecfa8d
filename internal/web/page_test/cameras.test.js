import assert from "node:assert/strict";
import { test } from "node:test";

import * as cameras from "../page/cameras.js";
import { FakeClock } from "./fakes.js";

test("the address names a camera, or none", () => {
  assert.equal(cameras.named("?camera=rear&x=1"), "rear");
  assert.equal(cameras.named("?camera="), null);
  assert.equal(cameras.named(""), null);
});

test("a link for each camera, in order, with what is known of it", () => {
  assert.deepEqual(cameras.links(["front", "rear"], "rear", { front: "lost" }), [
    { name: "front", href: "?camera=front", current: false, state: "lost", words: "no picture" },
    { name: "rear", href: "?camera=rear", current: true, state: "unknown", words: "" },
  ]);
});

test("states of a status, and of what is none", () => {
  assert.deepEqual(cameras.statesOf({ cameras: [{ name: "front", state: "live" }] }), { front: "live" });
  for (const none of [null, undefined, {}]) assert.deepEqual(cameras.statesOf(none), {});
});

test("why a camera gives no picture, or a lesser one, of several and of the only one", () => {
  const reason = "it is not there";
  assert.deepEqual(cameras.reasonsOf({ cameras: [{ name: "a", state: "away", reason }, { name: "b", state: "live" }] }), { a: reason });
  assert.deepEqual(cameras.reasonsOf({ cameras: [{ name: "", state: "away", reason }] }), { "": reason });
  assert.deepEqual(cameras.statesOf({ cameras: [{ name: "", state: "away", reason }] }), { "": "away" });
  assert.deepEqual(["away", "lost", "live"].map((state) => cameras.sentence(state, reason)), [
    "No picture: it is not there",
    "No picture: it is not there",
    "Lesser picture: it is not there",
  ]);
  assert.equal(cameras.sentence("live", undefined), "");
  for (const none of [null, {}, { cameras: [] }]) assert.deepEqual(cameras.reasonsOf(none), {});
  assert.deepEqual(cameras.links(["a"], "a", { a: "away" }, { a: reason }), [
    { name: "a", href: "?camera=a", current: true, state: "away", words: "no camera", reason },
  ]);
});

test("the states are asked for again and again, while someone looks", async () => {
  const clock = new FakeClock();
  const said = [];
  let asked = 0;
  let hidden = false;
  const answers = [{ cameras: [{ name: "a", state: "idle" }] }, null, { cameras: [{ name: "a", state: "live" }] }];
  const ask = async () => {
    asked++;
    const answer = answers.shift();
    if (!answer) throw new Error("the server is gone");
    return answer;
  };
  const watch = new cameras.Watch({ ask, changed: (states) => said.push(states), hidden: () => hidden, clock });
  await watch.start();
  await clock.pass(5_000);
  hidden = true;
  await clock.pass(5_000);
  assert.equal(asked, 2);
  hidden = false;
  await clock.pass(5_000);
  assert.deepEqual(said, [{ a: "idle" }, {}, { a: "live" }]);
});
