/**
 * Images and containers of Buildah in a folder of their own, without a daemon.
 *
 * @module
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Whether there is a Buildah, and this process may use it. */
export const hasBuildah = process.getuid?.() === 0 && spawnSync("buildah", ["--version"]).status === 0;

export interface ImageConfig {
  readonly User: string;
  readonly WorkingDir: string;
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly Volumes: Readonly<Record<string, object>>;
}

export class ImageStore {
  readonly #folder: string;
  readonly #options: readonly string[];

  /** @param folder An empty one. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#options = ["--root", `${folder}/store`, "--runroot", `${folder}/run`, "--storage-driver", "vfs"];
  }

  /** Make the image `name` as far as this project needs it: see `node-image.sh`. */
  async makeNodeImage(name: string): Promise<void> {
    const script = fileURLToPath(new URL("node-image.sh", import.meta.url));
    await this.#run("bash", [script, name, this.#folder, ...this.#options]);
  }

  /** Build a Dockerfile of the project, with its root as context. */
  async build(dockerfile: string, name: string): Promise<void> {
    // What npm has fetched for this machine need not be fetched again.
    const [settings, cache] = [`${homedir()}/.npmrc`, `${homedir()}/.npm`];
    await this.#buildah("build", [
      ...["--isolation", "chroot", "--pull-never", "--layers=false", "--format", "docker"],
      ...existsSync(settings) ? ["--volume", `${settings}:/etc/npm/settings:ro`] : [],
      ...existsSync(cache) ? ["--volume", `${cache}:/etc/npm/cache`] : [],
      ...["--file", dockerfile, "--tag", name, root],
    ]);
  }

  /** @returns its name. */
  async container(image: string): Promise<string> {
    return (await this.#buildah("from", ["--pull-never", image])).trim();
  }

  async config(container: string): Promise<ImageConfig> {
    return JSON.parse(await this.#buildah("inspect", [container])).Docker.config;
  }

  /** Run something in a container, as the image's user and in its folder. Resolves with what it prints. */
  async run(container: string, words: readonly string[], environment: Record<string, string> = {}) {
    return await this.#buildah("run", runArguments(container, words, environment));
  }

  /** The command that runs something in a container, for who starts it. */
  command(container: string, words: readonly string[], environment: Record<string, string>): string[] {
    return ["buildah", ...this.#options, "run", ...runArguments(container, words, environment)];
  }

  #buildah(command: string, args: readonly string[]): Promise<string> {
    return this.#run("buildah", [...this.#options, command, ...args]);
  }

  async #run(program: string, args: readonly string[]): Promise<string> {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    if (code === 0) return stdout;
    throw new Error(`Expected ${program} ${args.join(" ")} to end with 0, got ${code}: ${stdout}${stderr}`);
  }
}

function runArguments(container: string, words: readonly string[], environment: Record<string, string>) {
  const variables = Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  return ["--isolation", "chroot", ...variables, container, "--", ...words];
}
