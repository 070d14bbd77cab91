// Logins from docker's configuration, in all the forms that docker writes.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { UserError } from "../../compiler/diagnostic.ts";
import { dockerAuth } from "./auth.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-auth-"));
after(() => fs.rmSync(dir, { recursive: true, force: true }));

function auth(config: object | string): ReturnType<typeof dockerAuth> {
  fs.writeFileSync(path.join(dir, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return dockerAuth({ DOCKER_CONFIG: dir, PATH: `${dir}:/bin:/usr/bin` });
}

const encoded = Buffer.from("me:pa:ss").toString("base64");
const me = { username: "me", secret: "pa:ss" };

test("logins are found by host, by URL, and for Docker Hub under its old name", async () => {
  const config = auth({
    auths: {
      "plain.io": { auth: encoded },
      "https://url.io/v1/": { auth: encoded },
      "https://index.docker.io/v1/": { auth: encoded },
      "t.io": { auth: encoded, identitytoken: "tok" },
      "p.io:5000": { username: "u", password: "p" },
      "e.io": {},
    },
  });
  assert.deepEqual(await config.credentials("plain.io"), me);
  assert.deepEqual(await config.credentials("url.io"), me);
  assert.deepEqual(await config.credentials("registry-1.docker.io"), me);
  assert.deepEqual(await config.credentials("t.io"), { username: "", secret: "tok" });
  assert.deepEqual(await config.credentials("p.io:5000"), { username: "u", secret: "p" });
  assert.equal(await config.credentials("e.io"), undefined);
  assert.equal(await config.credentials("unknown.io"), undefined);
});

test("a credential helper is asked; its failures are told", async () => {
  const helper = (name: string, script: string): void =>
    fs.writeFileSync(path.join(dir, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  helper("good", 'read host; echo "{\\"ServerURL\\":\\"$host\\",\\"Username\\":\\"for-$host\\",\\"Secret\\":\\"s\\"}"');
  helper("token", `echo '{"Username":"<token>","Secret":"id"}'`);
  helper("none", "echo credentials not found in native keychain; exit 1");
  helper("broken", "echo secret-text; exit 3");
  helper("junk", "echo no json");
  const config = auth({
    credHelpers: { "h.io": "good", "t.io": "token", "b.io": "broken", "j.io": "junk", "m.io": "missing" },
    credsStore: "none",
    auths: { "x.io": { auth: encoded } },
  });
  assert.deepEqual(await config.credentials("h.io"), { username: "for-h.io", secret: "s" });
  assert.deepEqual(await config.credentials("t.io"), { username: "", secret: "id" });
  assert.equal(await config.credentials("x.io"), undefined);
  for (const [host, why] of [
    ["b.io", /exit code 3/],
    ["j.io", /not JSON/],
    ["m.io", /cannot be started/],
  ] as const) {
    await assert.rejects(
      config.credentials(host),
      (error) => error instanceof UserError && why.test(error.message) && !error.message.includes("secret-text"),
    );
  }
});

test("no configuration means no login; a broken one is an error", async () => {
  assert.equal(await dockerAuth({ DOCKER_CONFIG: path.join(dir, "none") }).credentials("x.io"), undefined);
  await assert.rejects(
    auth("{").credentials("x.io"),
    (error) => error instanceof UserError && error.exit === 2 && /not valid JSON/.test(error.message),
  );
});
