/**
 * A contract as Markdown: its channels, events and requests with their fields, for the page of its service.
 *
 * @module
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import type { ChannelKind, Contract, DataSchema } from "../../src/protocol/contract.ts";

interface Field {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Field[];
  readonly oneOf?: readonly Field[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: Field;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly required?: readonly string[];
}

export function contractTables({ events, requests, ...contract }: Contract): string {
  const channels: Readonly<Record<string, ChannelKind>> = contract.channels;
  return [
    "## Channels",
    table(
      ["channel", "what it tells", "the state that a subscriber gets"],
      Object.entries(channels).map(([kind, channel]) => [
        `\`${channel.id ? `${kind}:{${channel.id}}` : kind}\``,
        `${channel.description}${keptOf(channel)}`,
        channel.snapshot ? namesOf(channel.snapshot) : "none",
      ]),
    ),
    "## Events",
    ...Object.entries(events).map(([name, event]) =>
      [
        `### \`${name}\``,
        `${plain(event.description)}. To ${routes(event.channels)}.`,
        fieldsOf(event.data),
      ].filter(Boolean).join("\n\n")
    ),
    "## Requests",
    "The word in brackets is the permission that a request needs, `{service}:{word}`. Every request also takes `idempotency_key` where " +
    "it is not `read`.",
    ...Object.entries(requests).map(([name, request]) =>
      [
        `### \`${name}\` (${request.access})`,
        `${plain(request.description)}.`,
        fieldsOf(request.input),
        answerOf(request.output),
      ].filter(Boolean).join("\n\n")
    ),
  ].join("\n\n");
}

function routes(channels: unknown): string {
  if (!Array.isArray(channels)) return "channels that its data decides on";
  return channels.map((kind) => `\`${kind}\``).join(", ");
}

/** Fields, one a line. */
function fieldsOf(schema: DataSchema): string {
  const { properties = {}, required = [] } = asField(schema);
  return Object.entries(properties).map(([name, field]) => {
    const optional = required.includes(name) ? "" : ", optional";
    const description = descriptionOf(field);
    return `- \`${name}\` (${typeOf(field)}${optional})${description ? `: ${description}` : ""}`;
  }).join("\n");
}

function answerOf(schema: DataSchema): string {
  const names = namesOf(schema);
  return names === "" ? "" : `Answer: ${names}.`;
}

/** The names of the fields; of those that it may have, where it has several forms. */
function namesOf(schema: DataSchema): string {
  const { properties, anyOf = [], oneOf = [] } = asField(schema);
  const forms = properties ? [properties] : [...anyOf, ...oneOf].map((form) => form.properties ?? {});
  return [...new Set(forms.flatMap((form) => Object.keys(form)))].map((name) => `\`${name}\``).join(", ");
}

function keptOf({ ephemeral, latestBy }: ChannelKind): string {
  const latest = latestBy ? ["a slow reader gets the latest only"] : [];
  const notes = [...ephemeral ? ["not kept"] : [], ...latest];
  return notes.length === 0 ? "" : ` (${notes.join("; ")})`;
}

function asField(schema: DataSchema): Field {
  return toJsonSchema(schema, { typeMode: "input", errorMode: "ignore" }) as Field;
}

function descriptionOf({ description, anyOf = [] }: Field): string {
  return plain(description ?? "") || (anyOf.map(descriptionOf).find((text) => text !== "") ?? "");
}

/** Text that Markdown leaves as it is. */
function plain(text: string): string {
  return text.replaceAll(/`[^`]*`|[*<|]/g, (found) => found.length > 1 ? found : `\\${found}`);
}

function typeOf(field: Field): string {
  if (field.enum) return field.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (field.const !== undefined) return `\`${String(field.const)}\``;
  if (field.anyOf) {
    return [...new Set(field.anyOf.map(typeOf))].filter((type) => type !== "null").join(" or ");
  }
  if (field.type === "array") return `list of ${field.items ? typeOf(field.items) : "values"}`;
  return [field.type ?? "any value"].flat().join(" or ");
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
