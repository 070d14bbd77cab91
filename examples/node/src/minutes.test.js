// Holds the conversion against a known text.
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { minutes } = require("./minutes.js");

test("two hours are 120 minutes", () => {
  assert.equal(minutes("2h"), 120);
});
