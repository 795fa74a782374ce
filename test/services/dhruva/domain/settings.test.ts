import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { dhruva } from "../../../../services/dhruva/contract.ts";
import { dhruvaSettings } from "../../../../services/dhruva/domain/settings.ts";
import { loadSettings } from "../../../../src/settings/load.ts";

const service = { name: dhruva.name, ports: dhruva.ports, schema: dhruvaSettings };
const load = (yaml: string) => loadSettings({ service, file: "dhruva.yaml", text: `dhruva:\n${yaml}` });
const target = (url: string) => v.safeParse(dhruvaSettings, { targets: { there: { url } } }).success;

describe("settings of dhruva", () => {
  it("take folders and URLs as targets", () => {
    const { own } = load(
      '  targets:\n    a: { folder: /mnt/a }\n    b: { url: "http://127.0.0.1:1/x/{sha256}", token: t }\n',
    );
    expect(own).toMatchObject({
      targets: { a: { folder: "/mnt/a" }, b: { url: "http://127.0.0.1:1/x/{sha256}", token: "t" } },
      keep_versions: 10,
      attempts: 5,
    });
  });

  it.each([
    "http://127.0.0.1:8683/api/blobs/{sha256}",
    "https://adapters.example",
    "https://adapters.example/{adapter_id}/{version}?hash={sha256}",
    "HTTP://[::1]:1/x",
  ])("take the URL %s", (url) => expect(target(url)).toBe(true));

  it.each([
    ["ftp://adapters.example/x", "another scheme"],
    ["file:///etc/passwd", "a file"],
    ["adapters.example/x", "no scheme"],
    ["http://{version}/x", "a place for the host"],
    ["http://adapters.{version}.example/x", "a place in the host"],
    ["http://adapters.example:{version}/x", "a place for the port"],
    ["http://adapters.example{version}", "a place behind the host"],
    ["http://user:password@adapters.example/x", "a user"],
    ["http://adapters.example\\@inner/x", "a host that is read in two ways"],
    ["http://adapters.example:99999/x", "a port that is none"],
    ["http://adapters.example/{domain}", "a place that nothing fills"],
    ["http:// adapters.example/x", "a blank"],
    ["", "nothing"],
  ])("refuse the URL %j (%s)", (url) => expect(target(url)).toBe(false));

  it.each([
    ["  targets:\n    a: { folder: /a, url: http://b }\n", "either folder, or url"],
    ["  targets:\n    a: {}\n", "either folder, or url"],
    ["  targets:\n    a: /mnt/a\n", "either folder, or url"],
    ["  targets:\n    ../a: { folder: /a }\n", "a name of 1 to 64"],
    ["  keep_versions: 0\n", "from 1 to 1000"],
    ["  blob_bytes: 1.5\n", "whole number"],
    ["  blob_folder: 5\n", "a path"],
    ["  kept_versions: 5\n", "kept_versions"],
  ])("name line and path of %j", (yaml, words) => {
    expect(() => load(yaml)).toThrow(/dhruva\.yaml:\d+: dhruva\.\w+/);
    expect(() => load(yaml)).toThrow(words);
  });

  it("never show a token that stands in the wrong place", () => {
    expect(() => load("  targets:\n    a: { url: http://a, token: [very-secret] }\n")).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("very-secret") }),
    );
  });
});
