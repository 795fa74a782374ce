import { attackSuite } from "./suite.ts";

attackSuite("deno");
