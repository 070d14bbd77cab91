// A registry over plain HTTP with one image in it, for tests of logins and of images that are not there.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import type { TestLayout } from "./images.ts";

/** A registry over plain HTTP on loopback that serves one layout as `busybox`, and wants a login. */
export async function layoutRegistry(served: TestLayout, login: string): Promise<{ host: string; close(): Promise<void> }> {
  const server = http.createServer((request, response) => {
    const answer = (status: number, body: string | Buffer = "", headers: http.OutgoingHttpHeaders = {}): void => {
      response
        .writeHead(status, { "content-length": Buffer.byteLength(body), ...headers })
        .end(request.method === "HEAD" ? undefined : body);
    };
    if (request.headers.authorization !== `Basic ${Buffer.from(login).toString("base64")}`)
      return answer(401, "", { "www-authenticate": 'Basic realm="test"' });
    const match = /^\/v2\/busybox\/(manifests|blobs)\/(?:sha256:)?([^/]+)$/.exec(request.url ?? "");
    if (match === null) return answer(404, '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    const hex = match[2] === "latest" ? served.digest.slice(7) : (match[2] as string);
    const blob = path.join(served.dir, "blobs/sha256", hex);
    if (!fs.existsSync(blob)) return answer(404);
    const type = match[1] === "manifests" ? "application/vnd.oci.image.manifest.v1+json" : "application/octet-stream";
    return answer(200, fs.readFileSync(blob), { "content-type": type, "docker-content-digest": `sha256:${hex}` });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as { port: number }).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
