import { attackSuite } from "./suite.ts";

attackSuite("node");
