"""Parses the JSON of every line of a file, and does nothing with it: what `check` is measured against."""

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    with Path(sys.argv[1]).open(encoding="utf-8") as trace:
        for line in trace:
            json.loads(line)
