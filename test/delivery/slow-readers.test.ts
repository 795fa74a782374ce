import { slowReaderSuite } from "./slow-readers.ts";

slowReaderSuite("node", 1_000);
