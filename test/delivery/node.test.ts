import { deliverySuite } from "./runtime-suite.ts";

// Together with the other runtimes 5,000 linked runs, 1,000 over real sockets, 50 with a kill.
deliverySuite("node", { linked: 2_000, library: 300, late: 300, sockets: 300, kill: 6 });
