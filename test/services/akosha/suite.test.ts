import { AkoshaWebSocketServer } from "../../../services/akosha/mod.ts";
import { serviceSuite } from "../../suite/service-suite.ts";

const level = (n: number, value: number) =>
  Array.from({ length: 16 }, () => ({ metric: `step.${n}`, value }));

serviceSuite({
  name: "akosha",
  Server: AkoshaWebSocketServer,
  ports: { http: 8682, websocket: 8692 },
  welcome: "session.created",
  channel: "patterns:change_point",
  own: () => ({ feeds: {} }),
  prepare: [],
  trigger: (n) => ({
    name: "record_observations",
    data: { observations: [...level(n, 0), ...level(n, 10 + n)] },
  }),
  event: "pattern.detected",
  shows: (n) => ({
    pattern_type: "change_point",
    description: `step.${n} has changed from about 0 to about ${10 + n}`,
  }),
});
