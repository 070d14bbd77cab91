// Proxies of the environment: which variable counts for a URL, and what NO_PROXY leaves out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../compiler/diagnostic.ts";
import { proxyFor } from "./proxy.ts";

const through = (url: string, env: Record<string, string>): string | undefined => proxyFor(new URL(url), env)?.href;
const both = { HTTP_PROXY: "http://plain:1", HTTPS_PROXY: "http://secure:2" };

test("the scheme of the URL says which variable counts; small letters do as well", () => {
  assert.equal(through("http://a.example/", both), "http://plain:1/");
  assert.equal(through("https://a.example/", both), "http://secure:2/");
  assert.equal(through("https://a.example/", { https_proxy: "low:3" }), "http://low:3/");
  assert.equal(through("https://a.example/", { HTTP_PROXY: "http://plain:1" }), undefined);
  assert.equal(through("https://a.example/", { HTTPS_PROXY: "" }), undefined);
});

test("this machine is never asked through a proxy", () => {
  for (const host of ["localhost", "127.0.0.1", "127.9.9.9:5000", "[::1]:5000", "localhost:5000"])
    assert.equal(through(`http://${host}/`, both), undefined, host);
});

for (const [list, direct, proxied] of [
  ["*", ["a.example", "10.0.0.1"], []],
  ["example.com", ["example.com", "a.example.com", "example.com:8080"], ["anexample.com", "example.org"]],
  [".example.com", ["a.example.com"], ["example.com"]],
  ["*.example.com", ["a.example.com"], ["example.com"]],
  ["Example.COM", ["a.example.com"], []],
  ["example.com:8080", ["example.com:8080"], ["example.com", "example.com:81"]],
  ["example.com:80", ["example.com"], ["example.com:81"]],
  ["10.0.0.0/8, 192.168.1.1", ["10.9.9.9", "192.168.1.1", "192.168.1.1:5000"], ["11.0.0.1", "192.168.1.2", "a.10.0.0.1.example"]],
  ["192.168.1.1:5000", ["192.168.1.1:5000"], ["192.168.1.1:5001"]],
  ["fd00::/8,fe80::1", ["[fd00::5]", "[fe80::1]"], ["[fc00::1]"]],
  [" , ,", [], ["a.example"]],
  ["10.0.0.0/99", [], ["10.0.0.1"]],
] as const)
  test(`NO_PROXY=${list}`, () => {
    for (const host of direct) assert.equal(through(`http://${host}/`, { ...both, NO_PROXY: list }), undefined, host);
    for (const host of proxied) assert.equal(through(`http://${host}/`, { ...both, no_proxy: list }), "http://plain:1/", host);
  });

test("a proxy that is none is the user's mistake; its password is not told", () => {
  for (const setting of ["socks5://me:pw@proxy:1", "http://", "http://me:pw@a b"]) {
    assert.throws(
      () => through("http://a.example/", { HTTP_PROXY: setting }),
      (error: unknown) =>
        error instanceof UserError && error.exit === 2 && error.diagnostics[0]?.code === "bad-proxy" && !error.message.includes("pw"),
    );
  }
});
