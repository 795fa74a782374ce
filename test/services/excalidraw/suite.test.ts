import { ExcalidrawWebSocketServer } from "../../../services/excalidraw/mod.ts";
import { serviceSuite } from "../../suite/service-suite.ts";
import { box } from "./started-manager.ts";

serviceSuite({
  name: "excalidraw",
  Server: ExcalidrawWebSocketServer,
  ports: { http: 3032, websocket: 3042 },
  welcome: "session.created",
  channel: "diagram:test123",
  prepare: [{ name: "create_diagram", data: { diagram_id: "test123" } }],
  trigger: (n) => ({ name: "update_diagram", data: { diagram_id: "test123", elements: [box(`box ${n}`)] } }),
  event: "diagram.updated",
  shows: (n) => ({ diagram_id: "test123", elements: [box(`box ${n}`)] }),
});
