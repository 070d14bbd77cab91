// Stands in for a BuildKit daemon while the bundle is compiled: takes every job, says that all of it was cached, asks the client's session for
// the files that the job names, and sends an empty result. No step runs. What the messages are: BuildKit's control, gateway and filesync .proto.
import { createHash } from "node:crypto";
import http2 from "node:http2";
import { Duplex } from "node:stream";

const number = (value) =>
  value < 0x80 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 0x7f) | 0x80]), number(value >>> 7)]);
const varint = (field, value) => Buffer.concat([number(field << 3), number(value)]);
const bytes = (field, value) => Buffer.concat([number((field << 3) | 2), number(value.length), value]);
const text = (field, value) => bytes(field, Buffer.from(value));

/** One gRPC message. */
function frame(message) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Calls `onMessage` with each whole gRPC message. */
function messages(onMessage) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      onMessage(rest.subarray(5, end));
      rest = rest.subarray(end);
    }
  };
}

/** The fields of a message that hold bytes: [number, bytes]. */
function* fields(message) {
  let at = 0;
  const read = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at++];
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = read();
    if ((tag & 7) === 0) read();
    else if ((tag & 7) === 2) {
      const end = read() + at;
      yield [tag >> 3, message.subarray(at, end)];
      at = end;
    } else return;
  }
}

const field = (message, wanted) => [...fields(message)].filter(([found]) => found === wanted).map(([, value]) => value);
/** The ops of the Definition in field `number`; the last only names what is wanted. */
const opsOf = (request, number_) => field(field(request, number_)[0] ?? Buffer.alloc(0), 1).slice(0, -1);
const foreign = `sha256:${"0".repeat(64)}`;
/** Of the image that every name stands for. */
export const imageConfig = {
  architecture: process.arch === "x64" ? "amd64" : process.arch,
  os: "linux",
  config: { Env: ["PATH=/bin"] },
  rootfs: { type: "layers", diff_ids: [] },
};
const time = Buffer.concat([varint(1, 1_700_000_000), varint(2, 1000)]);

/** A status as a daemon gives it: each vertex is announced, begins, says something, and was in the cache. */
function statuses(ops) {
  const digests = ops.map((op) => `sha256:${createHash("sha256").update(op).digest("hex")}`);
  const vertex = (digest, i, ...more) =>
    bytes(1, Buffer.concat([text(1, digest), ...(i > 0 ? [text(2, digests[i - 1])] : []), text(3, `step ${i}`), ...more]));
  const announced = digests.map((digest, i) => vertex(digest, i));
  const begun = digests.map((digest, i) => vertex(digest, i, bytes(5, time)));
  const ended = digests.map((digest, i) => vertex(digest, i, varint(4, 1), bytes(5, time), bytes(6, time)));
  const layer = (digest) =>
    bytes(2, Buffer.concat([text(1, "extracting"), text(2, digest), varint(4, 5), varint(5, 9), bytes(6, time), bytes(7, time)]));
  const log = (digest) => bytes(3, Buffer.concat([text(1, digest), bytes(2, time), varint(3, 1), text(4, "hello\n")]));
  const export_ = (...more) =>
    bytes(1, Buffer.concat([text(1, foreign), text(3, "exporting to client directory"), bytes(5, time), ...more]));
  const busy = digests.flatMap((digest) => [layer(digest), log(digest)]);
  return [announced, begun, busy, ended, [export_()], [export_(bytes(6, time))]].map((parts) => frame(Buffer.concat(parts)));
}

/** The client's session: an HTTP/2 server of the client's behind the BytesMessages of this stream. */
function session(stream) {
  const pipe = new Duplex({
    read() {},
    write: (chunk, _, done) => stream.write(frame(bytes(1, chunk)), done),
    destroy: (error, done) => done(error),
  });
  const push = messages((message) => pipe.push(field(message, 1)[0] ?? Buffer.alloc(0)));
  stream.on("data", push);
  stream.on("close", () => pipe.destroy());
  pipe.on("error", () => {});
  const client = http2.connect("http://session", { createConnection: () => pipe });
  client.on("error", () => {});
  return client;
}

/** One call of the session; `react` gets each answer and a function that sends. Ends with the answer's end. */
function call(client, path, metadata, react) {
  return new Promise((done) => {
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...metadata };
    const stream = client.request(headers);
    const send = (message) => stream.write(frame(message));
    stream.on("error", () => done());
    stream.on("close", () => done());
    stream.on(
      "data",
      messages((message) => react(message, send, () => stream.end())),
    );
    react(undefined, send, () => stream.end());
  });
}

// Kinds of fsutil's packets: 0 STAT, 1 REQ, 2 DATA, 3 FIN.
const endOfList = Buffer.alloc(0);
const fin = varint(1, 3);

/** Takes the list of a local directory, and none of its files. */
const takeFiles = (message, send, end) => {
  if (message === undefined) return;
  if (message.length === 0) send(fin);
  if (message.length > 0 && message[0] === 8 && message[1] === 3) end();
};

/** Sends an empty directory, as what a job gives. */
const sendNothing = (message, send, end) => {
  if (message === undefined) send(endOfList);
  else if (message[0] === 8 && message[1] === 3) {
    send(fin);
    end();
  }
};

async function useSession(client, ops) {
  const ignore = (message, send, end) => {
    if (message !== undefined) return;
    send(Buffer.alloc(0));
    end();
  };
  await call(client, "/grpc.health.v1.Health/Check", {}, ignore);
  for (const op of ops) {
    const name = /local:\/\/([\w.-]+)/.exec(op.toString("latin1"))?.[1];
    if (name !== undefined) await call(client, "/moby.filesync.v1.FileSync/DiffCopy", { "dir-name": name }, takeFiles);
  }
  await call(client, "/moby.filesync.v1.FileSend/DiffCopy", {}, sendNothing);
}

/** Answers to what a daemon is asked beside its jobs. */
const answersOf = (capabilities) => ({
  Info: bytes(1, Buffer.concat([text(1, "github.com/moby/buildkit"), text(2, "v0.0.0"), text(3, "0")])),
  Ping: Buffer.concat(capabilities.map((id) => bytes(2, Buffer.concat([text(1, id), varint(2, 1)])))),
  ResolveImageConfig: Buffer.concat([text(1, foreign), text(2, JSON.stringify(imageConfig))]),
});

/** Listens on a socket, as a daemon with these capabilities, for one run of a client. Returns what ends it. */
export function standIn(socket, capabilities) {
  const answers = answersOf(capabilities);
  const open = new Set();
  const server = http2.createServer();
  let client;
  let [solved, returned] = [() => {}, () => {}];
  const job = new Promise((done) => (solved = done));
  const result = new Promise((done) => (returned = done));
  const respond = {
    ...Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, async () => answer])),
    // Its client asks the gateway for all that it wants, unless the Definition is here.
    "Control/Solve": async (request) => {
      const own = opsOf(request, 2);
      if (own.length > 0) solved(own);
      else await result;
      const ops = await Promise.race([job, []]);
      if (ops.length > 0 && client !== undefined) await useSession(client, ops);
      return Buffer.alloc(0);
    },
    "LLBBridge/Solve": async (request) => {
      solved(opsOf(request, 1));
      return bytes(3, bytes(3, text(1, "result")));
    },
    Return: async () => {
      returned();
      return Buffer.alloc(0);
    },
  };
  const answer = async (path, stream, request) => {
    if (path.endsWith("/Status")) {
      for (const status of statuses(await job)) stream.write(status);
      stream.end();
      return;
    }
    const [, respondTo] = Object.entries(respond).find(([name]) => path.endsWith(name)) ?? [];
    stream.end(frame((await respondTo?.(request)) ?? Buffer.alloc(0)));
  };
  server.on("session", (one) => open.add(one));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    const path = String(headers[":path"]);
    if (path.endsWith("/Session")) client = session(stream);
    else {
      const push = messages((request) => void answer(path, stream, request));
      stream.on("data", push);
    }
  });
  server.listen(socket);
  return () => {
    for (const one of open) one.destroy();
    server.close();
  };
}
