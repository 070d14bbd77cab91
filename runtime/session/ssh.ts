// Forwards SSH agents into the build, read-only: a step may list keys and have things signed, and nothing else. Raw sockets are forwarded
// as they are.
import net from "node:net";
import { UserError } from "../../compiler/diagnostic.ts";
import { CheckAgentRequest } from "../../proto/gen/github.com/moby/buildkit/session/sshforward/ssh.ts";
import { Code, RpcError } from "../grpc/status.ts";
import { bytesHeader, bytesOf } from "./bytes-message.ts";
import type { Call } from "./call.ts";
import type { SessionServices, SshAgent } from "./services.ts";

/** Requests of the agent protocol (draft-miller-ssh-agent) that do not change the agent. */
const allowed: ReadonlySet<number> = new Set([
  11, // SSH_AGENTC_REQUEST_IDENTITIES
  13, // SSH_AGENTC_SIGN_REQUEST
]);
/** SSH_AGENT_FAILURE. */
const refusal = Buffer.from([0, 0, 0, 1, 5]);
/** OpenSSH's limit for a message. */
const maxMessage = 256 << 10;

/** Answers SSH.CheckAgent: NotFound for an id that was not given, which optional mounts rely on. */
export async function serveCheckAgent(services: SessionServices, request: Buffer): Promise<Uint8Array> {
  const { ID } = CheckAgentRequest.decode(request);
  findAgent(services, ID);
  return Buffer.alloc(0);
}

/** Serves SSH.ForwardAgent: one connection of a process in the build to the agent. */
export async function serveForwardAgent(call: Call, services: SessionServices): Promise<void> {
  const agent = findAgent(services, call.metadata("buildkit.ssh.id")[0] ?? "");
  if (agent.raw === true) return relay(call, agent);
  const socket = await dial(agent);
  const answers = new MessageReader();
  const requests = new MessageReader();
  socket.on("data", (chunk) => answers.push(chunk));
  socket.on("close", () => answers.end());
  socket.on("error", () => undefined); // "close" follows
  call.onClose(() => {
    requests.end();
    socket.destroy();
  });
  call.read(
    (message) => requests.push(Buffer.from(bytesOf(message))),
    () => requests.end(),
  );
  try {
    // One after the other: that is how agents answer, too.
    for (let request = await requests.next(); request !== undefined; request = await requests.next()) {
      if (!allowed.has(request[4] as number)) {
        await send(call, refusal);
        continue;
      }
      socket.write(request);
      const answer = await answers.next();
      if (answer === undefined) break;
      await send(call, answer);
    }
    call.end(Code.ok);
  } finally {
    socket.destroy();
  }
}

/** Any socket, byte for byte: what it is was the user's to say. */
async function relay(call: Call, agent: SshAgent): Promise<void> {
  const socket = await dial(agent);
  socket.on("error", () => undefined); // the loop below ends, too
  call.onClose(() => socket.destroy());
  call.read(
    (message) => void socket.write(Buffer.from(bytesOf(message))),
    () => void socket.end(),
  );
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) await send(call, chunk);
    call.end(Code.ok);
  } finally {
    socket.destroy();
  }
}

async function send(call: Call, data: Buffer): Promise<void> {
  await call.send(bytesHeader(data.length), data);
}

function findAgent(services: SessionServices, id: string): SshAgent {
  const name = id === "" ? "default" : id;
  const agent = services.ssh?.get(name);
  if (agent === undefined)
    throw new RpcError(Code.notFound, `no SSH agent was given as ${JSON.stringify(name)}; pass one with --ssh ${name}`);
  return agent;
}

function dial(agent: SshAgent): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(agent.socket);
    socket.once("connect", () => resolve(socket.removeAllListeners("error")));
    socket.once("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "ENOENT" || cause.code === "ECONNREFUSED" ? "no agent listens there" : cause.message;
      const message = `Cannot reach the SSH agent ${JSON.stringify(agent.id)} at ${agent.socket}: ${why}`;
      const hint = "Start one with: eval $(ssh-agent), add your key with: ssh-add";
      reject(new UserError(3, [{ code: "ssh-agent", message, at: [], hint }], { cause }));
    });
  });
}

/** Cuts a byte stream into the messages of the agent protocol: four bytes of length, one of type, and the rest. */
class MessageReader {
  #pending: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  push(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The next whole message with its length; undefined at the end. Throws RpcError for a length that no agent takes. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const length = this.#pending.length < 4 ? undefined : this.#pending.readUInt32BE(0);
      if (length !== undefined && (length === 0 || length > maxMessage))
        throw new RpcError(Code.invalidArgument, `an SSH agent message of ${length} bytes is not allowed`);
      if (length !== undefined && this.#pending.length >= 4 + length) {
        const message = this.#pending.subarray(0, 4 + length);
        this.#pending = this.#pending.subarray(4 + length);
        return message;
      }
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
