import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MahavishnuWebSocketServer } from "../../../services/mahavishnu/mod.ts";
import { type RunningService, startService } from "../../suite/running-service.ts";
import { FrameClient } from "../../support/frame-client.ts";
import { post } from "../../support/http-client.ts";

let folder: string;
const service = {
  name: "mahavishnu",
  Server: MahavishnuWebSocketServer,
  own(temporary: string) {
    folder = temporary;
    return {
      allow_inline: true,
      working_directory: folder,
      output_bytes: 524_288,
      pools: { default: { min: 0, max: 2, queue: 5 } },
    };
  },
};

describe("a server that is sent what it should not be", () => {
  let running: RunningService;
  let client: FrameClient;
  beforeAll(async () => {
    running = await startService(service);
    client = await FrameClient.open(running.url);
    await client.request("subscribe", { channel: "global" });
  });
  afterAll(async () => {
    await client.close();
    await running.stop();
  });

  const run = (definition: unknown, workflow_id?: string) =>
    client.request("run_workflow", { definition, workflow_id });
  const end = (id: string) =>
    client.frame(({ event, data }) =>
      /^workflow\.(completed|failed)$/.test(event) && data.workflow_id === id
    );

  test("refuses a definition that is nested as deep as a frame can hold", async () => {
    const text = `${'{"a":'.repeat(150_000)}1${"}".repeat(150_000)}`;
    client.send(
      `{"type":"request","id":"deep","event":"run_workflow","data":{"definition":{"stages":${text}}}}`,
    );
    const answer = await client.frame((frame) => frame.correlation_id === "deep" || frame.type === "error");
    expect(answer.error_code).toMatch(/^(INVALID_DATA|DECODE_ERROR)$/);
  });

  test("refuses a definition with tens of thousands of faults, and tells the first of them", async () => {
    const stages = Object.fromEntries(Array.from({ length: 100 }, (_, stage) => [
      `s${stage}`,
      Object.fromEntries(Array.from({ length: 300 }, (_, key) => [`k${key}`, key])),
    ]));
    const answer = await run({ stages });
    expect(answer.error_code).toBe("INVALID_DATA");
    expect(answer.error_message.split("\n")).toHaveLength(21);
    expect(answer.error_message).toMatch(/and \d+ more$/);
  });

  test("refuses more workflows than its queue holds, and runs those that it has accepted", async () => {
    const answers = await Promise.all(
      Array.from(
        { length: 30 },
        (_, n) =>
          run(
            { stages: { one: { run: "until [ -e go ]; do sleep 0.01; done", shell: true } } },
            `flood-${n}`,
          ),
      ),
    );
    const accepted = answers.filter(({ type }) => type === "response");
    const refused = answers.filter(({ error_code }) => error_code === "NOT_AVAILABLE");
    // Two workers have begun, and five wait.
    expect([accepted.length, refused.length]).toEqual([7, 23]);
    await writeFile(join(folder, "go"), "");
    for (const { data } of accepted) await end(data.workflow_id);
  });

  test("answers an output that is too large for a frame with the address where it is to be had", async () => {
    const script = "head -c 600000 /dev/zero | tr '\\0' '\\001'";
    await run({ stages: { one: { run: script, shell: true } } }, "control");
    await end("control");
    const data = { workflow_id: "control", stage_name: "one" };
    expect(await client.request("get_stage_output", data)).toMatchObject({
      error_code: "MESSAGE_TOO_LARGE",
      error_message: expect.stringContaining("/api/requests/get_stage_output"),
    });
    const { status, body } = await post(`${running.http}/api/requests/get_stage_output`, data);
    expect(status).toBe(200);
    expect(body).toMatchObject({ total_bytes: 600_000, omitted_bytes: 600_000 - 524_288 });
  });

  test("carries any bytes that a stage writes", async () => {
    await run({ stages: { one: { run: "head -c 200000 /dev/urandom", shell: true } } }, "noise");
    const { data } = await end("noise");
    expect(data.result.stages).toMatchObject([{ status: "completed", output_tail: expect.any(String) }]);
    const output = await client.request("get_stage_output", { workflow_id: "noise", stage_name: "one" });
    expect(output.data.total_bytes).toBe(200_000);
  });

  test("goes on, and has nothing to complain of", async () => {
    await run({ stages: { one: { run: ["true"] } } }, "after");
    expect((await end("after")).event).toBe("workflow.completed");
    expect(running.log.filter((line) => / (WARN|ERROR) /.test(line))).toEqual([]);
  });
});
