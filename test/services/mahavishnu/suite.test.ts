import * as v from "valibot";
import { mahavishnu, type MahavishnuContract } from "../../../services/mahavishnu/contract.ts";
import type { MahavishnuManager } from "../../../services/mahavishnu/manager.ts";
import { mahavishnuService } from "../../../services/mahavishnu/mod.ts";
import type { Call } from "../../../src/ports/call.ts";
import { serverOf } from "../../../src/server/broadcast-methods.ts";
import { type Commit, defineService } from "../../../src/service/define-service.ts";
import { serviceSuite } from "../../suite/service-suite.ts";

// The suite wants an event that is told with its request's answer, alone, and as often as it likes: those of workflows
// are told when their processes do something. So the service is given a request that tells of a stage's end; channel and
// event are its own. What its own requests tell is looked at in diamond.test.ts.
const commits = new WeakMap<MahavishnuManager, Commit<MahavishnuContract>>();

const service = defineService({
  ...mahavishnuService,
  contract: {
    ...mahavishnu,
    requests: {
      ...mahavishnu.requests,
      end_stage: {
        description: "Tell of the end of a stage",
        access: "write",
        input: v.object({ number: v.number() }),
        output: v.object({}),
      },
    },
  },
  async createManager(context) {
    const manager = await mahavishnuService.createManager(context as never);
    commits.set(manager, context.commit as never);
    return manager;
  },
  createHandlers: (manager) => ({
    ...mahavishnuService.createHandlers(manager),
    end_stage({ number }: { number: number }, call: Call) {
      const result = {
        status: "completed",
        exit_code: 0,
        signal: null,
        duration_ms: 1,
        attempts: 1,
        output_tail: "",
      } as const;
      const data = {
        workflow_id: "test123",
        stage_name: `stage-${number}`,
        result,
        stages_completed: number,
        total_stages: 1_000,
      };
      return commits.get(manager)!((transaction) => {
        transaction.emit("workflow.stage_completed", data);
        return {};
      }, call);
    },
  }),
});

class MahavishnuWebSocketServer extends serverOf(service) {}

serviceSuite({
  name: "mahavishnu",
  Server: MahavishnuWebSocketServer,
  ports: { http: 8680, websocket: 8690 },
  welcome: "session.created",
  channel: "workflow:test123",
  prepare: [],
  trigger: (number) => ({ name: "end_stage", data: { number } }),
  event: "workflow.stage_completed",
  shows: (n) => ({ workflow_id: "test123", stage_name: `stage-${n}`, stages_completed: n }),
});
