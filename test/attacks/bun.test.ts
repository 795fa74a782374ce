import { attackSuite } from "./suite.ts";

attackSuite("bun");
