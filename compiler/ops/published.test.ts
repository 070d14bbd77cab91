// Ports as container engines take them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { publishedPorts } from "./published.ts";

const short = (text: string): string[] =>
  publishedPorts(text).map(({ address = "*", machine, container, protocol }) => `${address} ${machine} ${container} ${protocol}`);

test("ports of the machine lead to those of the container, at an address, with a protocol", () => {
  assert.deepEqual(short("8080:80"), ["* 8080 80 tcp"]);
  assert.deepEqual(short("127.0.0.1:8080:80/udp"), ["127.0.0.1 8080 80 udp"]);
  assert.deepEqual(short("[::1]:8080:80"), ["[::1] 8080 80 tcp"]);
});

test("ranges lead to ranges that are as long, or to one port", () => {
  assert.deepEqual(short("7000-7002:80-82"), ["* 7000 80 tcp", "* 7001 81 tcp", "* 7002 82 tcp"]);
  assert.deepEqual(short("7000-7009:80"), ["* 7000 80 tcp"]);
});

test("everything else is no port", () => {
  for (const text of ["80", "a:80", "80:", "80:b", "1:70000", "70000:1", "2-1:2-1", "1-3:1-2", "1:1-2", "1:1/icmp", "1-60000:1-60000"])
    assert.deepEqual(short(text), [], text);
});
