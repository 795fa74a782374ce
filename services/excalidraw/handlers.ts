/**
 * Requests of excalidraw and the events that its clients publish, handed to the manager.
 *
 * @module
 */
import type { Handlers, Relays } from "../../src/service/define-service.ts";
import type { ExcalidrawContract } from "./contract.ts";
import type { ExcalidrawManager } from "./manager.ts";

export function excalidrawHandlers(manager: ExcalidrawManager): Handlers<ExcalidrawContract> {
  return {
    create_diagram: (input, call) => manager.createDiagram(input, call),
    update_diagram: (input, call) => manager.updateDiagram(input, call),
    get_diagram: (input) => manager.getDiagram(input),
    get_diagram_status: (input) => manager.getDiagramStatus(input),
    list_diagrams: (input) => manager.listDiagrams(input),
    import_diagram: (input, call) => manager.importDiagram(input, call),
    export_diagram: (input) => manager.exportDiagram(input),
    join_diagram: (input, call) => manager.joinDiagram(input, call),
    leave_diagram: (input, call) => manager.leaveDiagram(input, call),
    move_cursor: (input, call) => manager.moveCursor(input, call),
  };
}

/** An event that a client publishes is the request of the same meaning: what is told of it is what was kept. */
export function excalidrawRelays(manager: ExcalidrawManager): Relays<ExcalidrawContract> {
  return {
    "diagram.updated": (data, call) => ({ ...manager.updateDiagram(data, call) }),
    "cursor.moved": (data, call) => manager.moveCursor(data, call),
    "user.joined"(data, call) {
      const { status, diagram_id, user_id } = manager.joinDiagram(data, call);
      return { status, diagram_id, user_id };
    },
    "user.left": (data, call) => manager.leaveDiagram(data, call),
  };
}
