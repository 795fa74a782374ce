import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CrackerjackWebSocketServer } from "../../../services/crackerjack/mod.ts";
import { serviceSuite } from "../../suite/service-suite.ts";

serviceSuite({
  name: "crackerjack",
  Server: CrackerjackWebSocketServer,
  ports: { http: 8676, websocket: 8686 },
  welcome: "session.created",
  channel: "quality:test123",
  async own(folder) {
    await mkdir(join(folder, "test123"));
    return { roots: [folder] };
  },
  prepare: [],
  // So many of a thousand lines are covered.
  trigger: (n) => ({
    name: "report_coverage",
    data: { project: "test123", content: `TN:\nSF:a.js\nLF:1000\nLH:${n}\nend_of_record\n` },
  }),
  event: "coverage.updated",
  shows: (n) => ({ project: "test123", line_coverage: n / 10, branch_coverage: null }),
});
