// The lines of known_hosts that are about a host, held against ssh-keygen where it makes them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { knownHosts } from "./known-hosts.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

function withFile(text: string, check: (find: (host: string) => string | undefined, file: string) => void): void {
  const home = mkdtempSync(join(tmpdir(), "known-hosts-"));
  try {
    mkdirSync(join(home, ".ssh"));
    const file = join(home, ".ssh/known_hosts");
    writeFileSync(file, text);
    check((host) => knownHosts({ HOME: home })(host), file);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

test("only the lines about a host are given, with wildcards, ports and exceptions as ssh reads them", () => {
  const lines = [
    `# comment`,
    `a.example,10.0.0.1 ${KEY} me`,
    `*.wild.example,!no.wild.example ${KEY}`,
    `[b.example]:2222 ${KEY}`,
    `@cert-authority *.ca ${KEY}`,
  ];
  withFile(`${lines.join("\n")}\n`, (find) => {
    assert.equal(find("a.example"), `${lines[1]}\n`);
    assert.equal(find("A.Example:22"), `${lines[1]}\n`);
    assert.equal(find("10.0.0.1"), `${lines[1]}\n`);
    assert.equal(find("x.wild.example"), `${lines[2]}\n`);
    assert.equal(find("no.wild.example"), undefined);
    assert.equal(find("b.example"), undefined);
    assert.equal(find("b.example:2222"), `${lines[3]}\n`);
    assert.equal(find("git.ca"), `${lines[4]}\n`);
    assert.equal(find("aXexample"), undefined);
  });
});

test("hosts that ssh-keygen hashed are found", () => {
  withFile(`plain.example ${KEY}\n[other.example]:2222 ${KEY}\n`, (find, file) => {
    execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
    assert.match(find("plain.example") ?? "", /^\|1\|/);
    assert.match(find("other.example:2222") ?? "", /^\|1\|/);
    assert.equal(find("third.example"), undefined);
  });
});

test("without any file no host is known", () => {
  assert.equal(knownHosts({ HOME: "/nonexistent" })("a.example"), undefined);
});
