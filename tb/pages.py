"""Templates of pages and reports: everything that they show is escaped, for traces and names are foreign."""

from __future__ import annotations

from pathlib import Path

import jinja2

SHARED = Path(__file__).parent / "templates"
_MARKUP = frozenset("\\`*[]<>&|")


def environment(folder: Path) -> jinja2.Environment:
    """Templates of a folder, and of the shared one; .html and .svg escape what they are given."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, SHARED]),
        autoescape=jinja2.select_autoescape(("html", "svg"), default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"plain": plain, "prose": prose, "code": code}
    return made


def plain(text: str) -> str:
    """One line that ends no code block and no table cell of Markdown."""
    return _printable(text).replace("```", "'''").replace("|", "\\|")


def prose(text: str) -> str:
    """Foreign text in Markdown: nothing in it is markup."""
    return "".join(f"\\{character}" if character in _MARKUP else character for character in _printable(text))


def code(text: str) -> str:
    """Foreign text as a code span of Markdown, also in a table's cell."""
    line = plain(text).replace("`", "'")
    return f"`{line}`" if line else ""


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
