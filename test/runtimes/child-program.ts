/**
 * Starts children. `scenarios`: plays all scenarios and prints what came out. `family`: prints the family's numbers and
 * marks, and lives on. `exit`: prints them and exits.
 */
import process from "node:process";
import { FAMILY, SCENARIOS, startShell } from "./child-scenarios.ts";

const [mode] = process.argv.slice(2);
if (mode === "scenarios") {
  const results: Record<string, unknown> = {};
  for (const [name, play] of Object.entries(SCENARIOS)) results[name] = await play();
  console.log(JSON.stringify(results));
} else {
  const { child, line } = await startShell(FAMILY);
  console.log(
    JSON.stringify({ marks: [child.mark], pids: [child.mark.pid, ...line.split(" ").map(Number)] }),
  );
  if (mode === "exit") process.exit(0);
}
