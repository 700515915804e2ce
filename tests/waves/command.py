"""The command line, run in the test's process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb import cli


class Command:
    """Runs a command; gives exit status, standard output and standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._patch = patch

    def __call__(self, *words: str | Path) -> tuple[int, str, str]:
        self._patch.setattr("sys.argv", ["virtio-cosim", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        output = self._capsys.readouterr()
        return int(end.value.code or 0), output.out, output.err
