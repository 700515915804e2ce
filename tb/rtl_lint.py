"""Lints the bundled RTL: `verilator --lint-only -Wall` without a warning."""

from __future__ import annotations

import subprocess
import sys

from tb.elaborate import source_arguments
from tb.errors import ToolError, UsageError
from tb.manifest import load_manifest
from tb.paths import ROOT, bundled_manifests
from tb.toolchain import find_verilator


def main() -> int:
    """Return Verilator's exit status, of the first top that it does not like; a warning is an error."""
    try:
        manifests = [load_manifest(path) for path in bundled_manifests()]
        verilator = find_verilator()
    except (UsageError, ToolError) as error:
        print(f"lint: {error}", file=sys.stderr)
        return 3 if isinstance(error, ToolError) else 2
    lint = [str(verilator.program), "--lint-only", "-Wall", "--timing"]
    for manifest in manifests:
        command = [*lint, *source_arguments(manifest)]
        status = subprocess.run(command, cwd=ROOT, env=verilator.environment(), check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
