import { slowReaderSuite } from "../delivery/slow-readers.ts";

slowReaderSuite("deno", 50);
slowReaderSuite("bun", 50);
