// Serves OCI layout directories as containerd content stores: images for `oci-layout://`, cache of `type=local`, and exported images.
import fs from "node:fs/promises";
import path from "node:path";
import {
  DeleteContentRequest,
  InfoRequest,
  InfoResponse,
  ListContentResponse,
  ListStatusesResponse,
  ReadContentRequest,
  StatusResponse,
  UpdateRequest,
  UpdateResponse,
} from "../../proto/gen/github.com/containerd/containerd/api/services/content/v1/content.ts";
import { fieldHeader, varintSize, writeVarint } from "../grpc/frame.ts";
import { Code, RpcError } from "../grpc/status.ts";
import { type Call, readOne } from "./call.ts";
import { abortWrite, statuses, statusOf, writeBlob } from "./content-write.ts";
import { blobFile, OciStore } from "./oci-store.ts";
import type { SessionServices } from "./services.ts";

const chunkSize = 1 << 20;

/** Content stores by the id that the daemon gives, e.g. `export` or `local:/cache`: these may be written to. */
export type ContentStores = ReadonlyMap<string, OciStore>;

/** Answers containerd.services.content.v1.Content. Layouts that the session only offers (`oci:NAME`) are never written to. */
export async function serveContent(call: Call, services: SessionServices, stores: ContentStores): Promise<void> {
  const id = call.metadata("buildkit-attachable-store-id")[0] ?? "";
  const layout = id.startsWith("oci:") ? services.layouts.get(id.slice(4)) : undefined;
  const store = layout === undefined ? stores.get(id) : new OciStore({ dest: layout });
  if (store === undefined) throw new RpcError(Code.notFound, `unknown store ${id}`);
  const method = call.path.slice(call.path.lastIndexOf("/") + 1);
  if (layout !== undefined && writing.has(method)) throw new RpcError(Code.permissionDenied, `the image store ${id} is read-only`);
  if (method === "Write") return writeBlob(call, store);
  const request = await readOne(call);
  if (method === "Read") await sendBlob(call, store.dir, ReadContentRequest.decode(request));
  else void call.send(await respond(method, store, request));
  call.end(Code.ok);
}

const writing: ReadonlySet<string> = new Set(["Write", "Abort", "Delete"]);

async function respond(method: string, store: OciStore, request: Buffer): Promise<Uint8Array> {
  const layout = store.dir;
  switch (method) {
    case "Info":
      return InfoResponse.encode({ info: await infoOf(layout, InfoRequest.decode(request).digest) }).finish();
    case "Update": // labels are not kept: nothing of BuildKit reads them back
      return UpdateResponse.encode({ info: await infoOf(layout, UpdateRequest.decode(request).info?.digest ?? "") }).finish();
    case "List":
      return ListContentResponse.encode({ info: await listBlobs(layout) }).finish();
    case "ListStatuses":
      return ListStatusesResponse.encode({ statuses: statuses(store) }).finish();
    case "Status":
      return StatusResponse.encode({ status: statusOf(store, request) }).finish();
    case "Abort":
      await abortWrite(store, request);
      return Buffer.alloc(0);
    case "Delete":
      await fs.rm(blobFile(layout, DeleteContentRequest.decode(request).digest)).catch((error: unknown) => {
        throw new RpcError(Code.notFound, "there is no such blob", { cause: error });
      });
      return Buffer.alloc(0);
    default:
      throw new RpcError(Code.unimplemented, `${method} is not served`);
  }
}

async function infoOf(layout: string, digest: string): Promise<ReturnType<typeof toInfo>> {
  return toInfo(digest, await blobSize(layout, digest));
}

function toInfo(digest: string, size: number): { digest: string; size: bigint } & typeof noInfo {
  return { ...noInfo, digest, size: BigInt(size) };
}

const noInfo = { created_at: undefined, updated_at: undefined, labels: {} };

async function sendBlob(call: Call, layout: string, request: { digest: string; offset: bigint; size: bigint }): Promise<void> {
  const total = await blobSize(layout, request.digest);
  const start = Number(request.offset);
  const end = request.size > 0n ? Math.min(total, start + Number(request.size)) : total; // as containerd: more may be asked for
  if (start < 0 || start > total) throw new RpcError(Code.outOfRange, `${request.digest} has ${total} bytes only`);
  const file = await fs.open(blobFile(layout, request.digest));
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
    return (await fs.stat(blobFile(layout, digest))).size;
  } catch (error) {
    if (error instanceof RpcError) throw error;
    throw new RpcError(Code.notFound, `the image store has no blob ${digest}`, { cause: error });
  }
}

async function listBlobs(
  layout: string,
): Promise<{ digest: string; size: bigint; created_at: undefined; updated_at: undefined; labels: Record<string, string> }[]> {
  const names = await fs.readdir(path.join(layout, "blobs", "sha256")).catch(() => []);
  const digests = names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map((name) => `sha256:${name}`);
  return Promise.all(digests.map(async (digest) => ({ ...noInfo, digest, size: BigInt(await blobSize(layout, digest)) })));
}
