// The writing half of containerd.services.content.v1.Content: exported images (`tar=false`) and cache (`type=local`) come in by it.
import {
  AbortRequest,
  StatusRequest,
  WriteAction,
  WriteContentRequest,
  WriteContentResponse,
} from "../../proto/gen/github.com/containerd/containerd/api/services/content/v1/content.ts";
import { Code, RpcError } from "../grpc/status.ts";
import type { Call } from "./call.ts";
import { type BlobWriter, blobFile, type OciStore } from "./oci-store.ts";
import { saveError } from "./save-error.ts";

/** Serves Content.Write: one answer per request, in order, until a commit ends it. What was not committed is removed. */
export async function writeBlob(call: Call, store: OciStore): Promise<void> {
  const session = new WriteSession(call, store);
  try {
    for await (const request of requestsOf(call)) {
      if (await session.answer(request)) break;
    }
  } catch (error) {
    throw saveError(error, store.target);
  } finally {
    await session.close();
  }
  call.end(Code.ok);
}

class WriteSession {
  readonly #call: Call;
  readonly #store: OciStore;
  #writer: BlobWriter | undefined;
  #total = 0n;
  #expected = "";

  constructor(call: Call, store: OciStore) {
    this.#call = call;
    this.#store = store;
  }

  /** True when the blob is complete. */
  async answer(request: WriteContentRequest): Promise<boolean> {
    if (request.expected !== "") blobFile(this.#store.dir, request.expected); // it must be a digest
    this.#expected = request.expected === "" ? this.#expected : request.expected;
    if (request.total > 0n) this.#total = request.total;
    this.#writer ??= await this.#open(request.ref);
    const writer = this.#writer;
    if (request.action !== WriteAction.STAT) await this.#write(writer, request);
    const { digest, offset, started, updated } = writer;
    const committed = request.action === WriteAction.COMMIT;
    if (committed) await writer.commit(Number(this.#total), this.#expected);
    const response = WriteContentResponse.encode({
      action: request.action,
      started_at: stamp(started),
      updated_at: stamp(updated),
      offset: BigInt(offset),
      total: this.#total,
      digest,
    }).finish();
    await this.#call.send(response);
    return committed;
  }

  async close(): Promise<void> {
    await this.#writer?.close();
  }

  async #open(ref: string): Promise<BlobWriter> {
    if (ref === "") throw new RpcError(Code.invalidArgument, "the first message of a write must have a reference");
    return this.#store.writer(ref, this.#expected);
  }

  async #write(writer: BlobWriter, { offset, data }: WriteContentRequest): Promise<void> {
    if (offset > 0n && offset !== BigInt(writer.offset))
      throw new RpcError(Code.outOfRange, `a write at ${offset} must be at the current offset ${writer.offset}`);
    if (offset === 0n && writer.offset > 0) await writer.truncate();
    if (data.length > 0) await writer.write(data);
  }
}

/** The requests of a stream one by one; the daemon waits for an answer before it sends the next. Ends with the stream. */
async function* requestsOf(call: Call): AsyncGenerator<WriteContentRequest> {
  const waiting: Buffer[] = [];
  let ended = false;
  let wake = (): void => {};
  const end = (): void => {
    ended = true;
    wake();
  };
  call.onClose(end);
  call.read((message) => {
    waiting.push(Buffer.from(message));
    wake();
  }, end);
  for (;;) {
    const message = waiting.shift();
    if (message !== undefined) yield WriteContentRequest.decode(message);
    else if (ended) return;
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}

/** Status of one write, or of all, as the fields of the protocol's Status. */
export function statuses(store: OciStore): {
  ref: string;
  offset: bigint;
  total: bigint;
  expected: string;
  started_at: Timestamp;
  updated_at: Timestamp;
}[] {
  return store.active().map((writer) => ({
    ref: writer.ref,
    offset: BigInt(writer.offset),
    total: 0n,
    expected: "",
    started_at: stamp(writer.started),
    updated_at: stamp(writer.updated),
  }));
}

/** The status that a StatusRequest asks for. Throws RpcError notFound. */
export function statusOf(store: OciStore, request: Buffer): ReturnType<typeof statuses>[number] {
  const { ref } = StatusRequest.decode(request);
  const found = statuses(store).find((status) => status.ref === ref);
  if (found === undefined) throw new RpcError(Code.notFound, `${ref} is not being written`);
  return found;
}

/** Gives a write up. Throws RpcError notFound. */
export async function abortWrite(store: OciStore, request: Buffer): Promise<void> {
  const { ref } = AbortRequest.decode(request);
  const writer = store.active().find((active) => active.ref === ref);
  if (writer === undefined) throw new RpcError(Code.notFound, `${ref} is not being written`);
  await writer.close();
}

interface Timestamp {
  seconds: bigint;
  nanos: number;
}

function stamp(ms: number): Timestamp {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}
