// The store of an environment, with the real `age` as its reader and writer, and all that can be wrong with keys and files.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { fails } from "../../test/support/failures.ts";
import { initWorkspace } from "../workspace/init.ts";
import { keyFile, makeKey, ownRecipient, readKeys } from "./keys.ts";
import type { SecretScope } from "./provider.ts";
import { parseSecrets, secretReader } from "./sources.ts";
import { changeRecipients, listRecipients, listSecrets, rotateKey, setSecret, unsetSecret } from "./store.ts";

const root = mkdtempSync(join(tmpdir(), "secret-store-"));
after(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
let scope: SecretScope;
/** `secrets.json` and `recipients` of the environment. */
let values: string;
let recipients: string;

beforeEach(async () => {
  const cwd = join(root, String(++count));
  const envDir = join(cwd, ".dagger/stacks/web/envs/dev");
  mkdirSync(envDir, { recursive: true });
  writeFileSync(join(cwd, ".dagger/stacks/web/stack.json"), '{"name": "web", "config": {"dir": "."}}');
  writeFileSync(join(envDir, "env.json"), '{"name": "dev", "settings": {}}');
  scope = { cwd, env: { HOME: join(cwd, "home"), PATH: process.env["PATH"] } };
  await initWorkspace({ ...scope, dir: "." });
  [values, recipients] = [join(envDir, "secrets.json"), join(envDir, "recipients")];
});

const read = (reference: string, who: SecretScope = scope): Promise<Uint8Array | undefined> =>
  secretReader(parseSecrets([`x=${reference}`], who.cwd), who)("x");
const text = async (reference: string, who?: SecretScope): Promise<string> => Buffer.from((await read(reference, who)) ?? []).toString();
const set = (name: string, value: string) => setSecret(scope, name, Buffer.from(value));

/** As another person has it. */
function otherKey(): { readonly env: SecretScope["env"]; readonly recipient: string; readonly file: string } {
  const file = join(scope.cwd, "other.txt");
  execFileSync("age-keygen", ["-o", file], { stdio: "ignore" });
  const recipient = execFileSync("age-keygen", ["-y", file], { encoding: "utf8" }).trim();
  return { env: { ...scope.env, DAGGER_AGE_KEY_FILE: file }, recipient, file };
}

test("the first secret makes a key that nobody else can read; what is set can be read, and names can be listed without a key", async () => {
  const done = await set("token", "hush");
  assert.equal(done.madeKey, keyFile(scope));
  assert.equal(statSync(keyFile(scope)).mode & 0o777, 0o600);
  assert.equal(statSync(join(keyFile(scope), "..")).mode & 0o777, 0o700);
  assert.equal((await set("b.2", "two")).madeKey, undefined);
  assert.equal(await text("age:token"), "hush");
  assert.equal(await read("age:none"), undefined);
  rmSync(keyFile(scope));
  assert.deepEqual(await listSecrets(scope), { place: "web/dev", names: ["b.2", "token"] });
  await unsetSecret(scope, "b.2");
  assert.deepEqual((await listSecrets(scope)).names, ["token"]);
  await assert.rejects(unsetSecret(scope, "tokn"), fails("unknown-secret", 2));
});

test("values of all bytes and sizes come back as they were, and stand nowhere in clear", async () => {
  const value = Buffer.from(Array.from({ length: 512_000 }, (_, at) => (at * 7) % 256));
  await setSecret(scope, "large", value);
  assert.ok(Buffer.from((await read("age:large")) ?? []).equals(value));
  await set("sentinel", "a-sentinel-value");
  for (const entry of readdirSync(scope.cwd, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    assert.ok(!bytes.includes("a-sentinel-value"), entry.name);
  }
  await assert.rejects(setSecret(scope, "large", Buffer.alloc(512_001)), fails("secret-too-large", 2));
  await assert.rejects(set("empty", ""), fails("empty-secret", 2));
  for (const name of ["", "a b", "../x", "-x", "__proto__ ", "x".repeat(200)])
    await assert.rejects(set(name, "x"), fails("bad-secret-name", 2));
  await set("__proto__", "odd name");
  assert.equal(await text("age:__proto__"), "odd name");
});

test("the real age reads what dagger writes, and dagger reads what age writes", async () => {
  await set("token", "for age");
  const [armored] = Object.values(JSON.parse(readFileSync(values, "utf8")) as Record<string, string>);
  assert.equal(execFileSync("age", ["-d", "-i", keyFile(scope)], { input: armored ?? "", encoding: "utf8" }), "for age");
  const written = execFileSync("age", ["-a", "-R", recipients], { input: "from age", encoding: "utf8" });
  writeFileSync(values, JSON.stringify({ ...(JSON.parse(readFileSync(values, "utf8")) as object), written }));
  assert.equal(await text("age:written"), "from age");
});

test("several recipients, with keys of dagger's and of age's making: added, taken out, never none", async () => {
  const other = otherKey();
  await set("token", "shared");
  await assert.rejects(read("age:token", { ...scope, env: other.env }), fails("secret-key-lost", 3, /tried 1/));
  assert.deepEqual(await changeRecipients(scope, { add: [other.recipient] }), { place: "web/dev", recipients: 2, secrets: 1 });
  assert.equal(await text("age:token", { ...scope, env: other.env }), "shared");
  assert.equal(await text("age:token", { ...scope, env: { DAGGER_AGE_KEY: readFileSync(other.file, "utf8") } }), "shared");
  const [mine] = (await listRecipients(scope)).recipients;
  assert.equal(mine?.own, true);
  await changeRecipients({ ...scope, env: other.env }, { remove: [mine?.recipient ?? ""] });
  await assert.rejects(read("age:token"), fails("secret-key-lost", 3));
  assert.equal(await text("age:token", { ...scope, env: other.env }), "shared");
  await assert.rejects(changeRecipients({ ...scope, env: other.env }, { remove: [other.recipient] }), fails("last-recipient", 2));
  await assert.rejects(changeRecipients({ ...scope, env: other.env }, { remove: ["age1none"] }), fails("unknown-recipient", 2));
  await assert.rejects(changeRecipients(scope, { add: ["age1nonsense"] }), fails("bad-recipient", 2));
  const identity = (await readKeys(scope))[0]?.identity ?? "";
  await assert.rejects(changeRecipients(scope, { add: [identity] }), (error: Error) => !error.message.includes(identity));
});

test("rotation: the new key reads everything, the old one no more, other recipients as before", async () => {
  const other = otherKey();
  await set("a", "one");
  await changeRecipients(scope, { add: [other.recipient] });
  const [old] = await readKeys(scope);
  const done = await rotateKey(scope);
  assert.equal(done.recipients, 2);
  assert.notEqual(done.recipient, old?.recipient);
  assert.equal(await text("age:a"), "one");
  assert.equal(await text("age:a", { ...scope, env: other.env }), "one");
  await assert.rejects(read("age:a", { ...scope, env: { DAGGER_AGE_KEY: old?.identity } }), fails("secret-key-lost", 3));
  assert.equal((await readKeys(scope)).length, 2);
  assert.equal((await ownRecipient(scope)).recipient, done.recipient);
});

test("a lost key is told with the next step, and nothing is changed by those who cannot read all", async () => {
  await set("token", "x");
  rmSync(keyFile(scope));
  const before = readFileSync(values, "utf8");
  await assert.rejects(read("age:token"), fails("secret-key-lost", 3, /there is none in .*keys\.txt/));
  await assert.rejects(rotateKey(scope), fails("secret-key-lost", 3));
  await assert.rejects(changeRecipients(scope, { add: [otherKey().recipient] }), fails("secret-key-lost", 3));
  assert.equal(readFileSync(values, "utf8"), before);
  assert.ok(!existsSync(keyFile(scope)));
});

test("damaged keys, values and files are told without what is secret in them", async () => {
  await set("token", "x");
  const key = readFileSync(keyFile(scope), "utf8");
  writeFileSync(keyFile(scope), key.replace(/KEY-1./, "KEY-1B"));
  await assert.rejects(read("age:token"), (error: Error) => fails("secret-key-unreadable", 3)(error) && !/AGE-SECRET/.test(error.message));
  writeFileSync(keyFile(scope), key);
  const stored = JSON.parse(readFileSync(values, "utf8")) as Record<string, string>;
  writeFileSync(values, JSON.stringify({ token: "no age file", cut: stored["token"]?.replace(/.{8}\n-----END/, "AAAAAAAA\n-----END") }));
  await assert.rejects(read("age:token"), fails("bad-secret-store", 2));
  await assert.rejects(read("age:cut"), fails("bad-secret-store", 2, /damaged|no age file/));
  writeFileSync(values, '{\n  "token": 3\n}');
  await assert.rejects(read("age:token"), fails("bad-workspace-file", 2));
  writeFileSync(values, '{\n  "token" 3\n}');
  await assert.rejects(listSecrets(scope), fails("bad-workspace-file", 2));
});

test("two at once lose nothing", async () => {
  await makeKey(scope);
  await Promise.all(Array.from({ length: 12 }, (_, at) => set(`s${at}`, `value ${at}`)));
  assert.equal((await listSecrets(scope)).names.length, 12);
  for (let at = 0; at < 12; at++) assert.equal(await text(`age:s${at}`), `value ${at}`);
});

test("the environment is chosen by name, by variables, or because it is the only one", async () => {
  await set("token", "dev");
  mkdirSync(join(scope.cwd, ".dagger/stacks/web/envs/live"));
  writeFileSync(join(scope.cwd, ".dagger/stacks/web/envs/live/env.json"), '{"name": "live", "settings": {}}');
  await assert.rejects(set("token", "x"), fails("no-environment", 2));
  await assert.rejects(listSecrets({ ...scope, environment: "lve" }), fails("unknown-environment", 2));
  await setSecret({ ...scope, stack: "web", environment: "live" }, "token", Buffer.from("live"));
  const env = { ...scope.env, DAGGER_STACK: "web" };
  assert.equal(await text("age:token", { ...scope, env: { ...env, DAGGER_ENV: "live" } }), "live");
  assert.equal(await text("age:token", { ...scope, env: { ...env, DAGGER_ENV: "dev" } }), "dev");
});
