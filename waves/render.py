"""The templates of this package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from tb.pages import environment


@cache
def _environment() -> jinja2.Environment:
    return environment(Path(__file__).parent / "templates")


def template(name: str) -> jinja2.Template:
    """The template of that name; .html and .svg escape what they are given."""
    return _environment().get_template(name)
