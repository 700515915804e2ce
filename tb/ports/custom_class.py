"""Finds the classes that a manifest names with kind = "python", beside the manifest."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from tb.errors import UsageError
from tb.manifest import Manifest, Port
from tb.ports.breakage import place, told
from tb.ports.custom import CustomBar, CustomConfig, CustomDma, CustomIrq, CustomPort, Site

BASES: dict[str, type[CustomPort]] = {
    "ports.config": CustomConfig,
    "ports.bar": CustomBar,
    "ports.dma": CustomDma,
    "ports.irq": CustomIrq,
}


def check_classes(manifest: Manifest) -> None:
    """Import every class that the manifest names; raises UsageError."""
    for port in manifest.python_ports:
        load_class(manifest, port)


def load_class(manifest: Manifest, port: Port) -> type[CustomPort]:
    """Import the port's class; raises UsageError where there is none, or none of the right base."""
    where, base = place(manifest.path, port), BASES[port.table]
    module_name, _, class_name = port.class_name.partition(":")
    file = manifest.path.parent.joinpath(*module_name.split(".")).with_suffix(".py")
    if not file.is_file():
        raise UsageError(f"{where}: there is no file {file}: put the module beside the manifest")
    try:
        module = _module(module_name, file)
    except (Exception, SystemExit) as error:
        raise UsageError(f"{where}: {file.name} cannot be imported: {told(error)}") from error
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        raise UsageError(f"{where}: {file} has no class {class_name!r}")
    if not issubclass(found, base):
        raise UsageError(f"{where}: derive {class_name} from {base.__module__}.{base.__name__}")
    return found


def _module(name: str, file: Path) -> ModuleType:
    """Import a file under a name of its own, with its folder's other modules in reach."""
    key = f"virtio_cosim_ports.{file.parent}.{name}"
    if key in sys.modules:
        return sys.modules[key]
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    spec = importlib.util.spec_from_file_location(key, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[key] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[key]
        raise
    return module


def make(manifest: Manifest, site: Site) -> CustomPort:
    """Construct the port's class; raises UsageError where that fails."""
    kind = load_class(manifest, site.port)
    try:
        return kind(site)
    except Exception as error:
        where = place(manifest.path, site.port)
        raise UsageError(f"{where}: its constructor raised {told(error)}") from error
