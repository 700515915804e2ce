"""Lints the bundled RTL: `verilator --lint-only -Wall` without a warning."""

from __future__ import annotations

import subprocess
import sys

from tb.elaborate import source_arguments
from tb.errors import ToolError, UsageError
from tb.manifest import load_manifest
from tb.paths import BUNDLED_MANIFEST, ROOT
from tb.toolchain import find_verilator


def main() -> int:
    """Return Verilator's exit status; a warning is an error."""
    try:
        manifest = load_manifest(BUNDLED_MANIFEST)
        verilator = find_verilator()
    except (UsageError, ToolError) as error:
        print(f"lint: {error}", file=sys.stderr)
        return 3 if isinstance(error, ToolError) else 2
    command = [str(verilator.program), "--lint-only", "-Wall", "--timing", *source_arguments(manifest)]
    return subprocess.run(command, cwd=ROOT, env=verilator.environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
