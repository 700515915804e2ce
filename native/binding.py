"""The native library in Python: loads it once, and wraps what needs Python's care."""

from __future__ import annotations

import functools
import importlib.util
import sysconfig
from typing import Any, NamedTuple

from native.library import MODULE, build_library


class Binding(NamedTuple):
    """cffi's two halves of the library."""

    ffi: Any
    lib: Any


@functools.cache
def binding() -> Binding:
    """Load the library, built first if need be; raises NativeBuildError."""
    folder = build_library().folder
    path = folder / f"{MODULE}{sysconfig.get_config_var('EXT_SUFFIX')}"
    spec = importlib.util.spec_from_file_location(MODULE, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Binding(module.ffi, module.lib)
