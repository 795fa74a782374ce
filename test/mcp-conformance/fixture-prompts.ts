/**
 * The prompts that scenarios of the conformance suite ask for by name.
 *
 * @module
 */
import { type PromptAnswer, PromptError, type PromptProvider } from "../../src/mcp/prompts.ts";
import { RED_DOT } from "./fixture-tools.ts";

type Content = PromptAnswer["messages"][number]["content"];
type Arguments = Readonly<Record<string, string>>;

interface FixturePrompt {
  readonly description: string;
  readonly arguments: readonly string[];
  readonly contents: (args: Arguments) => Content[];
}

const text = (words: string): Content => ({ type: "text", text: words });

const PROMPTS: Readonly<Record<string, FixturePrompt>> = {
  test_simple_prompt: {
    description: "A text",
    arguments: [],
    contents: () => [text("This is a simple prompt for testing.")],
  },
  test_prompt_with_arguments: {
    description: "A text with two arguments",
    arguments: ["arg1", "arg2"],
    contents: ({ arg1, arg2 }) => [text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
  },
  test_prompt_with_embedded_resource: {
    description: "A resource and a text",
    arguments: ["resourceUri"],
    contents: ({ resourceUri }) => [
      {
        type: "resource",
        resource: {
          uri: resourceUri,
          mimeType: "text/plain",
          text: "Embedded resource content for testing.",
        },
      },
      text("Please process the embedded resource above."),
    ],
  },
  test_prompt_with_image: {
    description: "An image and a text",
    arguments: [],
    contents: () => [
      { type: "image", data: RED_DOT, mimeType: "image/png" },
      text("Please analyze the image above."),
    ],
  },
};

export const fixturePrompts: PromptProvider = {
  list: () =>
    Object.entries(PROMPTS).map(([name, prompt]) => ({
      name,
      description: prompt.description,
      arguments: prompt.arguments.map((argument) => ({
        name: argument,
        description: "Any text",
        required: true,
      })),
    })),
  get(name, args) {
    const prompt = PROMPTS[name];
    if (!prompt) throw new PromptError(`Unknown prompt '${name}'`);
    return { messages: prompt.contents(args).map((content) => ({ role: "user", content })) };
  },
  kindOf: (name, argument) => PROMPTS[name]?.arguments.includes(argument) ? undefined : null,
};
