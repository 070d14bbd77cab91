// Serves OCI layout directories as containerd content stores: `oci-layout://` sources read images from this machine without a registry.
import fs from "node:fs/promises";
import path from "node:path";
import {
  InfoRequest,
  InfoResponse,
  ListContentResponse,
  ListStatusesResponse,
  ReadContentRequest,
} from "../../proto/gen/github.com/containerd/containerd/api/services/content/v1/content.ts";
import { fieldHeader, varintSize, writeVarint } from "../grpc/frame.ts";
import { Code, RpcError } from "../grpc/status.ts";
import { type Call, readOne } from "./call.ts";
import type { SessionServices } from "./services.ts";

const chunkSize = 1 << 20;

/** Answers the reading half of containerd.services.content.v1.Content; nothing can be written. */
export async function serveContent(call: Call, services: SessionServices): Promise<void> {
  const layout = layoutOf(call, services);
  const request = await readOne(call);
  const method = call.path.slice(call.path.lastIndexOf("/") + 1);
  if (method === "Read") await sendBlob(call, layout, ReadContentRequest.decode(request));
  else void call.send(await respond(method, layout, request));
  call.end(Code.ok);
}

function layoutOf(call: Call, services: SessionServices): string {
  const id = call.metadata("buildkit-attachable-store-id")[0] ?? "";
  const layout = id.startsWith("oci:") ? services.layouts.get(id.slice(4)) : undefined;
  if (layout === undefined) throw new RpcError(Code.notFound, `unknown store ${id}`);
  return layout;
}

async function respond(method: string, layout: string, request: Buffer): Promise<Uint8Array> {
  if (method === "Info") {
    const { digest } = InfoRequest.decode(request);
    return InfoResponse.encode({ info: { ...noInfo, digest, size: BigInt(await blobSize(layout, digest)) } }).finish();
  }
  if (method === "List") return ListContentResponse.encode({ info: await listBlobs(layout) }).finish();
  if (method === "ListStatuses") return ListStatusesResponse.encode({ statuses: [] }).finish(); // nothing is ever half-written
  throw new RpcError(Code.notFound, "nothing is being written");
}

const noInfo = { created_at: undefined, updated_at: undefined, labels: {} };

async function sendBlob(call: Call, layout: string, request: { digest: string; offset: bigint; size: bigint }): Promise<void> {
  const total = await blobSize(layout, request.digest);
  const start = Number(request.offset);
  const end = request.size > 0n ? start + Number(request.size) : total;
  if (start < 0 || start > total || end > total) throw new RpcError(Code.outOfRange, `${request.digest} has ${total} bytes only`);
  const file = await fs.open(blobPath(layout, request.digest));
  try {
    for (let at = start; at < end && !call.closed; ) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkSize, end - at));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) throw new RpcError(Code.dataLoss, `${request.digest} was cut short while it was read`);
      await call.send(readResponseHeader(at, bytesRead), chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** ReadContentResponse { offset = 1, data = 2 } up to its data, which is sent without a copy. */
function readResponseHeader(offset: number, length: number): Buffer {
  const data = fieldHeader(2, length);
  if (offset === 0) return data;
  const out = Buffer.allocUnsafe(1 + varintSize(offset));
  out[0] = 8;
  writeVarint(out, 1, offset);
  return Buffer.concat([out, data]);
}

async function blobSize(layout: string, digest: string): Promise<number> {
  try {
    return (await fs.stat(blobPath(layout, digest))).size;
  } catch (error) {
    if (error instanceof RpcError) throw error;
    throw new RpcError(Code.notFound, `the image store has no blob ${digest}`, { cause: error });
  }
}

function blobPath(layout: string, digest: string): string {
  const match = /^(sha256|sha384|sha512):([0-9a-f]{64,128})$/.exec(digest);
  if (match === null) throw new RpcError(Code.invalidArgument, `${JSON.stringify(digest)} is not a digest`);
  return path.join(layout, "blobs", match[1] as string, match[2] as string);
}

async function listBlobs(
  layout: string,
): Promise<{ digest: string; size: bigint; created_at: undefined; updated_at: undefined; labels: Record<string, string> }[]> {
  const names = await fs.readdir(path.join(layout, "blobs", "sha256")).catch(() => []);
  const digests = names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map((name) => `sha256:${name}`);
  return Promise.all(digests.map(async (digest) => ({ ...noInfo, digest, size: BigInt(await blobSize(layout, digest)) })));
}
