// Writes what the project publishes into the directory that it is given.
const { mkdirSync, writeFileSync } = require("node:fs");
const { minutes } = require("./minutes.js");

const dir = process.argv[2];
mkdirSync(dir, { recursive: true });
writeFileSync(`${dir}/day.txt`, `A day has ${minutes("1d")} minutes\n`);
