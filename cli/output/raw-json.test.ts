// A status as Go's encoding/json writes client.SolveStatus: empty fields left out, bytes in base64, times in RFC 3339.
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryIo } from "../../test/support/memory-io.ts";
import { RawJsonProgress } from "./raw-json.ts";

test("fields that Go leaves out are left out, the others have its names", () => {
  const io = memoryIo();
  const printer = new RawJsonProgress(io.stderr);
  const time = Date.UTC(2030, 0, 2, 3, 4, 5);
  const empty = { vertexes: [], statuses: [], logs: [], warnings: [] };
  printer.event({ type: "solve", status: empty });
  printer.event({ type: "phase", phase: "solve" });
  printer.event({
    type: "solve",
    status: {
      vertexes: [
        { digest: "sha256:1", inputs: [], name: "a", cached: false, error: "" },
        {
          digest: "sha256:2",
          inputs: ["sha256:1"],
          name: "b",
          cached: true,
          error: "no",
          started: time,
          completed: time + 1.5,
          group: { id: "g", name: "", weak: true },
        },
      ],
      statuses: [{ id: "x", vertex: "sha256:2", name: "", current: 0, total: 0, time: time + 0.25 }],
      logs: [{ vertex: "sha256:2", stream: 2, data: Buffer.from([0xff, 0x0a]), time: time + 120 }],
      warnings: [
        {
          vertex: "sha256:2",
          level: 0,
          short: "s",
          detail: ["d"],
          url: "u",
          file: { filename: "Dockerfile", language: "", data: Buffer.from("FROM x") },
          ranges: [{ start: { line: 1, character: 0 }, end: { line: 1, character: 4 } }],
        },
      ],
    },
  });
  printer.event({ type: "warning", message: "ours", detail: [], at: [] });
  printer.event({ type: "warning", message: "the daemon's", detail: [], at: [], fromDaemon: true });
  printer.finish();
  const lines = [
    `{"vertexes":[{"digest":"sha256:1","name":"a"},{"digest":"sha256:2","inputs":["sha256:1"],"name":"b","started":"2030-01-02T03:04:05Z","completed":"2030-01-02T03:04:05.0015Z","cached":true,"error":"no","progressGroup":{"id":"g","weak":true}}],` +
      `"statuses":[{"id":"x","vertex":"sha256:2","current":0,"timestamp":"2030-01-02T03:04:05.00025Z"}],` +
      `"logs":[{"vertex":"sha256:2","stream":2,"data":"/wo=","timestamp":"2030-01-02T03:04:05.12Z"}],` +
      `"warnings":[{"vertex":"sha256:2","short":"cw==","detail":["ZA=="],"url":"u","sourceInfo":{"filename":"Dockerfile","data":"RlJPTSB4"},"range":[{"start":{"line":1},"end":{"line":1,"character":4}}]}]}`,
    `{"warnings":[{"short":"b3Vycw=="}]}`,
    "",
  ];
  assert.equal(io.stderr.text, lines.join("\n"));
});
