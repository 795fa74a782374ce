import { SessionBuddyWebSocketServer } from "../../../services/session-buddy/mod.ts";
import { serviceSuite } from "../../suite/service-suite.ts";

serviceSuite({
  name: "session-buddy",
  Server: SessionBuddyWebSocketServer,
  ports: { http: 8678, websocket: 8688 },
  welcome: "welcome",
  channel: "session:test123",
  prepare: [{ name: "start_session", data: { session_id: "test123", project: "suite" } }],
  trigger: (n) => ({ name: "update_session", data: { session_id: "test123", context: { step: n } } }),
  event: "session.updated",
  shows: (n) => ({ session_id: "test123", changes: { step: n } }),
});
