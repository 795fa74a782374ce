import { expect, it } from "vitest";
import { startChild } from "../../src/runtimes/child.ts";
import { processes } from "../../src/runtimes/processes.ts";

/** Hold the whole process up, as a long piece of work would. */
function holdUp(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const EARLY = "printf early";
const LATE = "sleep 0.2; printf late";

/** Longer than output is waited for after a child's end. */
const LONG_MS = 500;

/**
 * Both children have ended before the process gets round to them: of the late one it then knows the end before it has
 * read what was written, and is held up once more.
 */
async function heldUp(
  start: (script: string, told: (bytes: Uint8Array) => void) => Promise<string>,
): Promise<string> {
  const late = start(LATE, () => {});
  const early = start(EARLY, () => {
    holdUp(2 * LONG_MS);
    setImmediate(() => holdUp(LONG_MS));
  });
  // Until the early one has ended and the late one has not.
  await new Promise<void>((resolve) => setImmediate(resolve));
  holdUp(100);
  await early;
  return await late;
}

it(
  "startChild tells all that a child has written, also where the process was held up at its end",
  async () => {
    for (let n = 0; n < 5; n++) {
      const output = await heldUp(async (script, told) => {
        let text = "";
        const child = await startChild("sh", ["-c", script], {
          onOutput: (_, bytes) => {
            text += new TextDecoder().decode(bytes);
            told(bytes);
          },
        });
        await child.ended;
        return text;
      });
      expect(output).toBe("late");
    }
  },
  60_000,
);

it(
  "processes.run tells all that a child has written, also where the process was held up at its end",
  async () => {
    for (let n = 0; n < 5; n++) {
      const children = Array.from(
        { length: 6 },
        (_, index) => processes.run("sh", ["-c", `sleep 0.${index}; printf ${index}`]),
      );
      const timer = setInterval(() => {
        holdUp(LONG_MS);
        setImmediate(() => holdUp(LONG_MS));
      }, 1);
      const outputs = await Promise.all(children).finally(() => clearInterval(timer));
      expect(outputs.map(({ stdout }) => stdout).join("")).toBe("012345");
    }
  },
  60_000,
);
