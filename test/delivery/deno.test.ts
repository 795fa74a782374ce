import { deliverySuite } from "./runtime-suite.ts";

deliverySuite("deno", { linked: 1_500, library: 150, late: 150, sockets: 350, kill: 22 });
