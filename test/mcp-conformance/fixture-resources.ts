/**
 * The resources that scenarios of the conformance suite ask for by name.
 *
 * @module
 */
import { ResourceError, type ResourceProvider } from "../../src/mcp/resource.ts";
import { RED_DOT } from "./fixture-tools.ts";

const listing = (uri: string, name: string, mimeType: string) => ({ uri, name, description: name, mimeType });

const LISTED = [
  listing("test://static-text", "A text", "text/plain"),
  listing("test://static-binary", "An image", "image/png"),
  listing("test://watched-resource", "A text to subscribe to", "text/plain"),
];

export const fixtureResources: ResourceProvider = {
  list: () => ({ resources: LISTED }),
  templates: () => [{
    uriTemplate: "test://template/{id}/data",
    name: "Data by id",
    mimeType: "application/json",
  }],
  read(uri) {
    const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? [];
    if (id !== undefined) {
      const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
      return [{ uri, mimeType: "application/json", text }];
    }
    const found = LISTED.find((resource) => resource.uri === uri);
    if (!found) throw new ResourceError("not_found", `Unknown resource '${uri}'`);
    const { mimeType } = found;
    if (mimeType === "image/png") return [{ uri, mimeType, blob: RED_DOT }];
    return [{ uri, mimeType, text: "This is the content of the static text resource." }];
  },
  subscribe: () => () => {},
  complete: () => ({ values: [] }),
  onListChanged: () => () => {},
};
