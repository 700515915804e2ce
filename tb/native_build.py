"""What a build for the native path adds to the DUT: wrapper, bus models, the C library, our own main."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from native.library import HEADERS, HERE, NativeBuildError, build_library
from tb import native_wrapper
from tb.elaborate import TopPort
from tb.errors import ToolError
from tb.manifest import Manifest
from tb.native_wrapper import TOPLEVEL, free_ports, wrapper

MAIN = HERE / "main.cpp"
MODELS = tuple(sorted(HERE.glob("*.sv")))


@dataclass(frozen=True, slots=True)
class NativeParts:
    """Verilator's further arguments, the linker's, and the pins that the bench touches from Python."""

    arguments: list[str]
    linker: str
    pins: list[str]


def native_parts(manifest: Manifest, ports: dict[str, TopPort], folder: Path) -> NativeParts:
    """Write the wrapper into the build's folder and say what to build; raises ToolError."""
    try:
        library = build_library()
    except NativeBuildError as error:
        raise ToolError(str(error), error.log) from None
    bench = folder / f"{TOPLEVEL}.sv"
    bench.write_text(wrapper(manifest, ports))
    flags = ["-CFLAGS", f"-I{HERE} -DVIO_CLOCK={manifest.clock.port}"]
    arguments = ["--top-module", TOPLEVEL, *flags, *map(str, MODELS), str(bench), str(MAIN)]
    linker = f"-L{library.folder} -Wl,-rpath,{library.folder} -lvio_native"
    wanted = {manifest.reset.port}
    if manifest.medium is not None and manifest.medium.sectors:
        wanted.add(manifest.medium.sectors)
    pins = [manifest.clock.port, *(name for name in free_ports(manifest, ports) if name in wanted)]
    return NativeParts(arguments, linker, pins)


def key_parts() -> Iterator[bytes]:
    """What a native build depends on besides the DUT."""
    try:
        yield build_library().key.encode()
    except NativeBuildError as error:
        raise ToolError(str(error), error.log) from None
    for source in (MAIN, *MODELS, *HEADERS, Path(__file__), Path(native_wrapper.__file__)):
        yield source.read_bytes()
