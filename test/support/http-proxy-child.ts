// The process of test/support/http-proxy.ts: an HTTP proxy that knows some hosts by names of its own. Says its port, then each request.
import http from "node:http";
import net from "node:net";

const { hosts, login } = JSON.parse(process.argv[2] ?? "{}") as { hosts: Record<string, string>; login?: string };

function refused(headers: http.IncomingHttpHeaders): boolean {
  return login !== undefined && headers["proxy-authorization"] !== `Basic ${Buffer.from(login).toString("base64")}`;
}

function targetOf(host: string): { host: string; port: number } {
  const [name = "", port = "80"] = (hosts[host.split(":")[0] ?? ""] ?? host).split(":");
  return { host: name, port: Number(port) };
}

const server = http.createServer((request, response) => {
  process.stdout.write(`${request.method} ${request.url}\n`);
  if (refused(request.headers)) return void response.writeHead(407).end();
  const url = new URL(request.url ?? "");
  const { "proxy-authorization": _, ...headers } = request.headers;
  const upstream = http.request(
    { ...targetOf(url.host), method: request.method, path: `${url.pathname}${url.search}`, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  upstream.on("error", () => response.writeHead(502).end());
  request.pipe(upstream);
});
server.on("connect", (request, client: net.Socket, head: Buffer) => {
  process.stdout.write(`CONNECT ${request.url}\n`);
  client.on("error", () => client.destroy());
  if (refused(request.headers)) return void client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  const upstream = net.connect(targetOf(request.url ?? ""), () => {
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    upstream.write(head);
    client.pipe(upstream).pipe(client);
  });
  upstream.on("error", () => client.destroy());
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as net.AddressInfo).port}\n`));
