import { DhruvaWebSocketServer } from "../../../services/dhruva/mod.ts";
import { serviceSuite } from "../../suite/service-suite.ts";

const adapter = { domain: "test", key: "test123", provider: "local" };

serviceSuite({
  name: "dhruva",
  Server: DhruvaWebSocketServer,
  ports: { http: 8683, websocket: 8693 },
  welcome: "session.created",
  channel: "adapter:test:test123:local",
  prepare: [{ name: "store_adapter", data: { ...adapter, version: "0" } }],
  trigger: (n) => ({
    name: "store_adapter",
    data: { ...adapter, version: `1.${n}`, changelog: `change ${n}` },
  }),
  event: "adapter.updated",
  shows: (n) => ({ adapter_id: "test:test123:local", version: `1.${n}`, changelog: `change ${n}` }),
});
