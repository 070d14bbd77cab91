// How many minutes a text such as "2h" means.
const ms = require("ms");

exports.minutes = (text) => ms(text) / 60_000;
