"""Strict reading of a TOML table: every key is asked for once, what remains is an error.

Messages name file, table and key, say what is wrong and what would be right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from tb.errors import UsageError

T = TypeVar("T")
UNKNOWN = "?"
"""What `new-dut` writes for a value that it cannot find out."""
_NAMES = {str: "a string", int: "an integer", bool: "true or false", dict: "a table", list: "an array"}


class Table:
    """One table of a TOML file, read key by key; `finish` complains about keys nobody asked for."""

    def __init__(self, file: Path, name: str, content: Mapping[str, Any]) -> None:
        self.file = file
        self.name = name
        self._rest = dict(content)
        self._asked: list[str] = []

    def fail(self, key: str, problem: str) -> UsageError:
        """The error to raise about `key`."""
        where = f"[{self.name}] {key}" if self.name else key
        return UsageError(f"{self.file}: {where}: {problem}")

    def has(self, key: str) -> bool:
        """Whether the key is there and not yet read."""
        return key in self._rest

    def is_array(self, key: str) -> bool:
        """Whether the key is there, not yet read, and an array."""
        return isinstance(self._rest.get(key), list)

    def get(self, key: str, kind: type[T], default: T | None = None) -> T:
        """Return the value of `key`; without a default it must be there."""
        self._asked.append(key)
        if key not in self._rest:
            if default is None:
                raise self.fail(key, f"is missing: give {_NAMES[kind]}")
            return default
        value = self._rest.pop(key)
        if value == UNKNOWN:
            raise self.fail(key, "is not filled in yet: the comment behind it says what to give")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.fail(key, f"must be {_NAMES[kind]}, not {value!r}")
        return value

    def optional(self, key: str, kind: type[T]) -> T | None:
        """Return the value of `key`, or None where it is left out."""
        self._asked.append(key)
        return self.get(key, kind) if key in self._rest else None

    def choice(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        """Return a string that is one of `allowed`."""
        value = self.get(key, str, default)
        if value not in allowed:
            raise self.fail(key, f"is {value!r}: use one of {', '.join(allowed)}")
        return value

    def unsigned(self, key: str, bits: int, default: int | None = None) -> int:
        """Return an integer of 0 to 2**bits-1."""
        value = self.get(key, int, default)
        if not 0 <= value < 1 << bits:
            raise self.fail(key, f"is {value:#x}: give 0 to {(1 << bits) - 1:#x}")
        return value

    def identifier(self, key: str, default: str | None = None) -> str:
        """Return the name of a port or module; `default` may be anything."""
        value = self.get(key, str, default)
        if not value.replace("$", "_").isidentifier() and value != default:
            raise self.fail(key, f"is {value!r}: give the name of a port or module")
        return value

    def strings(self, key: str) -> list[str]:
        """Return an array of strings, empty where it is left out."""
        values = self.get(key, list, [])
        for value in values:
            if not isinstance(value, str):
                raise self.fail(key, f"must hold strings, not {value!r}")
        return values

    def table(self, key: str) -> Table:
        """Return the table below `key`; it must be there."""
        return self._below(key, self.get(key, dict))

    def optional_table(self, key: str) -> Table | None:
        """Return the table below `key`, or None where it is left out."""
        content = self.optional(key, dict)
        return None if content is None else self._below(key, content)

    def tables(self, key: str) -> list[Table]:
        """Return the tables of the array `key`, none where it is left out."""
        result = []
        for index, content in enumerate(self.get(key, list, [])):
            if not isinstance(content, dict):
                raise self.fail(key, f"must hold tables, not {content!r}")
            result.append(self._below(f"{key}[{index}]", content))
        return result

    def mapping(self, key: str) -> dict[str, Any]:
        """Return the free-form table below `key`, empty where it is left out."""
        return self.get(key, dict, {})

    def finish(self) -> None:
        """Raise UsageError about the first key that is not known."""
        for key in self._rest:
            near = get_close_matches(key, self._asked, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(self._asked)}"
            raise self.fail(key, f"is not a known key; {hint}")

    def _below(self, key: str, content: Mapping[str, Any]) -> Table:
        return Table(self.file, f"{self.name}.{key}" if self.name else key, content)
