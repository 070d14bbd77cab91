// The frontend that a Dockerfile asks for, in every way that BuildKit's own frontend knows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dockerfileSyntax } from "./dockerfile-syntax.ts";

const texts: readonly (readonly [text: string, syntax: string | undefined])[] = [
  ["# syntax=docker/dockerfile:1\nFROM x\n", "docker/dockerfile:1"],
  ["#syntax = docker/dockerfile:1.7 --flag\r\nFROM x\n", "docker/dockerfile:1.7"],
  ["# SYNTAX=a/b", "a/b"],
  ["\ufeff#!/usr/bin/env docker\n# escape=`\n# check=skip=all\n# syntax=a/b\n", "a/b"],
  ["// syntax=a/b\nx", "a/b"],
  ['{"syntax": "a/b:2", "x": 1}', "a/b:2"],
  ["FROM x\n# syntax=a/b\n", undefined],
  ["\n# syntax=a/b\n", undefined],
  [" # syntax=a/b\n", undefined],
  ["# a comment\n# syntax=a/b\n", undefined],
  ["# syntax=\n", undefined],
  ["null", undefined],
  ["", undefined],
];

test("the frontend is what the first lines say", () => {
  for (const [text, syntax] of texts) assert.equal(dockerfileSyntax(text), syntax, JSON.stringify(text));
});
