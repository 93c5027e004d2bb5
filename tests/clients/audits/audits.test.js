// What a server must, should and may do by the specification of GraphQL over HTTP, as the
// suite of its authors asks it.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { serverAudits } from "graphql-http";

import { url } from "../support/blog.js";

const passed = { MUST: 0, SHOULD: 0, MAY: 0 };
const audits = serverAudits({ url });

for (const { id, name, fn } of audits) {
  test(`${id} ${name}`, async () => {
    const { status, reason } = await fn();
    assert.equal(status, "ok", reason);
    passed[name.split(" ")[0]] += 1;
  });
}

after(() => {
  const total = Object.values(passed).reduce((sum, count) => sum + count);
  const levels = Object.entries(passed).map(([level, count]) => `${level} ${count}`);
  console.log(`GraphQL over HTTP: ${total} of ${audits.length} audits pass (${levels.join(", ")})`);
});
