// Packages http and notify on real servers: requests and their answers, messages to chats, mail.
import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { after, before, test } from "node:test";
import { startWebService, type WebService } from "../support/web-service.ts";
import { type PackageBench, startPackageBench } from "./packages.ts";

let packages: PackageBench;
let service: WebService;

before(async () => {
  packages = await startPackageBench("docker.io/curlimages/curl:8.15.0");
  service = await startWebService(({ method, url }) =>
    url.startsWith("/broken") ? { status: 503, body: "out of order" } : { body: `${method} ${url}` },
  );
});
after(async () => {
  await service?.stop();
  await packages?.bench.end();
});

/** A component whose value is "Ada". */
const name = `name: {
	string
	#up: [
		op.#FetchContainer & {ref: "docker.io/library/busybox:latest"},
		op.#Exec & {args: ["sh", "-c", "printf Ada > /name"]},
		op.#Export & {source: "/name"},
	]
}
`;

test("an answer is a value; headers, tokens and passwords come from secrets and components", async () => {
  service.received.length = 0;
  const { code, stdout, stderr } = await packages.compute(
    "get",
    `package up

import (
	"cuellb.dev/http"
	"cuellb.dev/op"
)

${name}
_get: http.#Get & {
	url: "${service.url}/a?b=c%20d"
	headers: {"X-Name": name, "X-Key": op.#Secret & {secret: "key"}}
	token: secret: "token"
}
_post: http.#Post & {
	url: secret: "url"
	method: "PUT"
	send: json: {a: 1, text: "\\"quoted\\" ✓"}
	headers: "content-type": "application/vnd.test+json"
	login: {username: "ada", password: secret: "key"}
	after: [_get]
}
body:   _get.body
status: _get.status
sent:   _post.body
`,
    { secrets: { key: 'k"e\\y', token: "t0ken", url: `${service.url}/secret/place` } },
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), { name: "Ada", body: "GET /a?b=c%20d", status: 200, sent: "PUT /secret/place" });
  const [get, put] = service.received;
  assert.equal(get?.headers["x-name"], "Ada");
  assert.equal(get?.headers["x-key"], 'k"e\\y');
  assert.equal(get?.headers.authorization, "Bearer t0ken");
  assert.equal(put?.headers["content-type"], "application/vnd.test+json");
  assert.equal(put?.headers.authorization, `Basic ${Buffer.from('ada:k"e\\y').toString("base64")}`);
  assert.equal(Buffer.from(put?.body ?? "", "latin1").toString("utf8"), '{"a":1,"text":"\\"quoted\\" ✓"}');
  assert.doesNotMatch(stdout + stderr, /t0ken|k"e/);
});

test("files and data that the run makes are sent", async () => {
  service.received.length = 0;
  const config = `package up

import (
	"cuellb.dev/http"
	"cuellb.dev/op"
)

${name}
file: http.#Post & {url: "${service.url}/file", send: file: {from: #up: [op.#Scratch, op.#WriteFile & {dest: "/x", content: 'a\\x00b\\xff'}], path: "/x"}}
data: http.#Post & {url: "${service.url}/data", send: text: name}
json: http.#Post & {url: "${service.url}/json", send: json: {built: true, by: [{person: name}], of: text: "by \\(name)"}}
`;
  const { code, stderr } = await packages.compute("data", config);
  assert.equal(code, 0, stderr);
  assert.equal(service.received.find(({ url }) => url === "/file")?.body, "a\0b\xff");
  assert.equal(service.received.find(({ url }) => url === "/data")?.body, "Ada");
  const json = service.received.filter(({ url }) => url === "/json");
  assert.deepEqual(
    json.map(({ body }) => JSON.parse(body) as unknown),
    [{ built: true, by: [{ person: "Ada" }], of: { text: "by Ada" } }],
  );
  assert.equal(json[0]?.headers["content-type"], "application/json");
});

test("a status that is no success fails and shows the answer, unless it is accepted; requests are sent in every run", async () => {
  const broken = `package up

import "cuellb.dev/http"

get: http.#Get & {url: "${service.url}/broken"}
`;
  const failed = await packages.compute("broken", broken);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /The service answered 503 to GET:/);
  assert.match(failed.stderr, /out of order/);

  const accepted = broken.replace("/broken", "/broken/twice").replace('"}', '", accept: [200, 503]}');
  for (let round = 0; round < 2; round++) {
    const { code, stdout, stderr } = await packages.compute("accepted", accepted);
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { get: { status: number } }).get.status, 503);
  }
  assert.equal(service.received.filter(({ url }) => url === "/broken/twice").length, 2);
});

test("mistakes in a request are told before anything is sent", async () => {
  const wrong = await packages.compute(
    "wrong",
    'package up\n\nimport "cuellb.dev/http"\n\nget: http.#Get & {url: "ftp://host/x", methd: "GET", token: "plain"}\n',
  );
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /methd/);
  assert.match(wrong.stderr, /token/);
});

test("chats get their messages, with values that the run computed, once what they come after is done", async () => {
  service.received.length = 0;
  const { code, stderr } = await packages.compute(
    "chats",
    `package up

import (
	"cuellb.dev/notify"
	"cuellb.dev/op"
)

${name}
slack: notify.#Slack & {webhook: secret: "hook", text: name, channel: "#ci", after: [name]}
teams: notify.#Teams & {webhook: secret: "hook", text: "to teams", after: [slack]}
discord: notify.#Discord & {webhook: secret: "hook", text: "to discord", username: "ci", after: [teams]}
hook: notify.#Webhook & {url: "${service.url}/own", payload: [1, "two"], token: secret: "token", after: [discord]}
`,
    { secrets: { hook: `${service.url}/hook`, token: "t" } },
  );
  assert.equal(code, 0, stderr);
  const bodies = service.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  assert.deepEqual(bodies[0], { text: "Ada", channel: "#ci" });
  assert.match(JSON.stringify(bodies[1]), /"type":"TextBlock","text":"to teams"/);
  assert.deepEqual(bodies[2], { content: "to discord", allowed_mentions: { parse: [] }, username: "ci" });
  assert.deepEqual(bodies[3], [1, "two"]);
  assert.equal(service.received[3]?.headers.authorization, "Bearer t");
});

test("a mail arrives with its subject, its text and its login", async () => {
  const mail = await startMailServer();
  try {
    const { code, stderr } = await packages.compute(
      "mail",
      `package up

import (
	"cuellb.dev/notify"
	"cuellb.dev/op"
)

${name}
mail: notify.#Email & {
	server: "${mail.address}"
	tls:    "none"
	login: {username: "ci", password: secret: "password"}
	from: "ci@example.com"
	to: ["ada@example.com", "bob@example.com"]
	subject: "Built – with an ümlaut, and long enough for two words"
	text:    name
}
`,
      { secrets: { password: "pass word" } },
    );
    assert.equal(code, 0, stderr);
    const said = mail.said.join("\n");
    assert.match(said, /MAIL FROM:<ci@example.com>/);
    assert.match(said, /RCPT TO:<ada@example.com>[\s\S]*RCPT TO:<bob@example.com>/);
    assert.match(said, new RegExp(`AUTH PLAIN\n${Buffer.from("\0ci\0pass word").toString("base64")}`));
    const words = [...said.matchAll(/=\?UTF-8\?B\?(.*?)\?=/g)].map(([, word]) => Buffer.from(word ?? "", "base64").toString("utf8"));
    assert.equal(words.join(""), "Built – with an ümlaut, and long enough for two words");
    assert.match(said, new RegExp(`\n\n${Buffer.from("Ada").toString("base64")}`));
  } finally {
    await mail.stop();
  }
});

/** A server that speaks as much SMTP as taking mail needs. */
async function startMailServer(): Promise<{ address: string; said: string[]; stop: () => Promise<void> }> {
  const said: string[] = [];
  const server = createServer((socket) => {
    let [text, before] = ["", ""];
    socket.write("220 test\r\n");
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      for (let end = text.indexOf("\r\n"); end >= 0; end = text.indexOf("\r\n")) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        said.push(line);
        if (before === "DATA" && line !== ".") continue;
        const first = before === "AUTH" ? "" : (line.split(" ", 1)[0] ?? "");
        const answers: Record<string, string> = { EHLO: "250-test\r\n250 AUTH PLAIN", AUTH: "334 ", DATA: "354 go on", QUIT: "221 bye" };
        socket.write(`${before === "AUTH" ? "235 ok" : (answers[first] ?? "250 ok")}\r\n`);
        before = first;
      }
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const stop = (): Promise<void> => new Promise((resolve) => void server.close(() => resolve()));
  return { address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`, said, stop };
}
