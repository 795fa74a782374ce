import { afterEach, expect, test } from "vitest";
import { excalidraw } from "../../../services/excalidraw/contract.ts";
import { EffectProof } from "../../mcp/effect-proof.ts";
import { box, type Started, startManager } from "./started-manager.ts";

let started: Started;
afterEach(() => started.stop());

test("every request of excalidraw does what its contract says of its effect", async () => {
  started = await startManager();
  const proof = new EffectProof(excalidraw, started, { rest: () => started.clock.advance(1_000) });
  const { diagram_id } = await proof.of("create_diagram", { title: "Plan" });
  // With versions it would be idempotent; without, each time a new version.
  const { id, type, x, y } = box("a");
  await proof.of("update_diagram", { diagram_id, elements: [{ id, type, x, y }] });
  for (const name of ["get_diagram", "get_diagram_status", "export_diagram"]) {
    await proof.of(name, { diagram_id });
  }
  await proof.of("list_diagrams");
  const { document } = await started.request("export_diagram", { diagram_id });
  await proof.of("import_diagram", { document });
  const user_info = { name: "Ada", color: "#123456" };
  await proof.of("join_diagram", { diagram_id, user_id: "ada" });
  const { status } = await proof.of("join_diagram", { diagram_id, user_id: "ada", user_info });
  expect(status).toBe("joined");
  await proof.of("move_cursor", { diagram_id, user_id: "ada", position: { x: 1, y: 2 } });
  await proof.looks([["diagram", diagram_id], ["presence", diagram_id], ["cursor", diagram_id]]);
  await proof.of("leave_diagram", { diagram_id, user_id: "ada" });
  proof.isWhole();
});
