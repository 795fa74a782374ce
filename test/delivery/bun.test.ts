import { deliverySuite } from "./runtime-suite.ts";

deliverySuite("bun", { linked: 1_500, library: 150, late: 150, sockets: 350, kill: 22 });
