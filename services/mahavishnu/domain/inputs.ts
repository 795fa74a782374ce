/**
 * Inputs of a workflow, and the environment that they become. They never stand in a command.
 *
 * @module
 */
import { Refusal } from "../../../src/protocol/errors.ts";
import { MAX_INPUT_CHARACTERS, MAX_INPUTS } from "../fields.ts";

export type Inputs = Readonly<Record<string, string>>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** @throws {Refusal} INVALID_DATA */
export function checkedInputs(given: Readonly<Record<string, string | number | boolean>>): Inputs {
  const inputs: [string, string][] = [];
  const variables = new Map<string, string>();
  let characters = 0;
  for (const [name, value] of Object.entries(given)) {
    const refuse = (detail: string): never => {
      throw new Refusal("INVALID_DATA", `Invalid field 'inputs': ${detail}`);
    };
    if (!NAME.test(name)) {
      refuse(`'${name.slice(0, 64)}': expected names of letters, digits and _, at most 64`);
    }
    const same = variables.get(variableOf(name));
    if (same !== undefined) refuse(`'${name}' and '${same}' would be one variable, ${variableOf(name)}`);
    variables.set(variableOf(name), name);
    const text = String(value).toWellFormed();
    if (text.includes("\0")) refuse(`'${name}': expected a text without the character NUL`);
    characters += name.length + text.length;
    inputs.push([name, text]);
  }
  if (inputs.length > MAX_INPUTS || characters > MAX_INPUT_CHARACTERS) {
    throw new Refusal(
      "INVALID_DATA",
      `Invalid field 'inputs': expected at most ${MAX_INPUTS} inputs and ${MAX_INPUT_CHARACTERS} characters, got ` +
        `${inputs.length} and ${characters}`,
    );
  }
  return Object.fromEntries(inputs);
}

/** `branch` becomes `INPUT_BRANCH`. */
export function environmentOf(inputs: Inputs): Record<string, string> {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [variableOf(name), value]));
}

function variableOf(name: string): string {
  return `INPUT_${name.toUpperCase()}`;
}
