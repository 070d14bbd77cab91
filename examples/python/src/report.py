"""Counts words, and writes what it found as JSON."""
import json
import sys

import inflection

TEXT = "the quick brown fox"


def report(text):
    return {"words": len(text.split()), "title": inflection.titleize(text)}


if __name__ == "__main__":
    with open(sys.argv[1], "w") as file:
        json.dump(report(TEXT), file)
