// node --test
import assert from "node:assert";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import Mixpanel from "mixpanel";
import { startMixpanel } from "./emulator.mjs";

let emulator;
before(async () => (emulator = await startMixpanel()));
after(() => emulator.stop());

test("an order is tracked with its total", async () => {
  const project = await emulator.project("orders");
  const mixpanel = Mixpanel.init(project.token, { host: emulator.host, protocol: "http", keepAlive: false });

  await promisify(mixpanel.track.bind(mixpanel))("Order Placed", { distinct_id: "ada", total: 59.9 });

  const [event] = await emulator.events(project.id);
  assert.equal(event.event, "Order Placed");
  assert.equal(event.properties.distinct_id, "ada");
  assert.equal(event.properties.total, 59.9);
});

test("what is not kept has a reason, although the answer is 1", async () => {
  const mixpanel = Mixpanel.init("no-such-token", { host: emulator.host, protocol: "http", keepAlive: false });

  await promisify(mixpanel.track.bind(mixpanel))("Order Placed", { distinct_id: "ada" });

  const { records } = (await emulator.requests()).at(-1);
  assert.equal(records.kept, 0);
  assert.equal(records.not_kept[0].reason, "no project has this token");
});
