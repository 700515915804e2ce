"""What a run is asked for, and what follows from that: the manifest, the fitting tests, the simulator."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tb.build import Build
from tb.errors import UsageError
from tb.manifest import INTERFACES, Manifest, load_manifest
from tb.paths import BUNDLED_MANIFEST, SIM_TESTS, bundled_manifest, shown
from tb.session import NATIVE
from tb.sim_test import SimTest
from tb.simulators import ICARUS, build_with, simulator_for, wants_native

MODEL = "model"
WAVES = ("never", "on-fail", "always")
PATHS = ("auto", "native", "portable")
ENDS = ("violation", "failure")
WINDOW_NS = 2000
CORES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run: `dut` is a manifest or "model"; `seed` is the first of `seeds`.

    `argument` is handed to the tests, `again` is the command that repeats them where `replay` of the
    argument would not. `until` ("violation", "failure") stops behind the first test with one; `time_scale`
    multiplies the simulated time that tests may take; `hasty` builds for the soonest first test.
    With `window_ns` waves of a failed test begin that long before its first violation and end shortly
    behind it, or at the test's end where nothing was violated.
    `path` "auto" is native where the DUT's ports allow it, and on pins where waves are written: both
    give the same events at the same times, and on pins the DUT is the top of the wave file. `twin` is
    the implementation of the checker that judges on the native path. `stress` is a level of `tb.knobs`
    for all tests in place of their own; `parameters` and `defines` are "NAME=VALUE" and go before the
    manifest's. `simulator` is one of tb.simulators, by default what takes the DUT's language. With
    `keep_going` tests run although the DUT does not come up.
    """

    dut: str = str(BUNDLED_MANIFEST)
    tests: tuple[str, ...] = ()
    seed: int = 1
    seeds: int = 1
    waves: str = "never"
    out: Path | None = None
    folder: Path = SIM_TESTS
    image: Path | None = None
    jobs: int = CORES
    argument: str = ""
    path: str = "auto"
    window_ns: int = 0
    again: str = ""
    twin: str = NATIVE
    stress: str = ""
    parameters: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    until: str = ""
    time_scale: float = 1.0
    hasty: bool = False
    simulator: str = ""
    keep_going: bool = False


def is_bundled(manifest: Manifest | None) -> bool:
    """Whether every test finds the interface that it wants: the bundled device has them all."""
    return manifest is None or manifest.path == BUNDLED_MANIFEST


def manifest_of(request: RunRequest, interface: str = "") -> Manifest | None:
    """The manifest with the request's parameters and defines, None for the model; raises UsageError.

    With `interface` it is the bundled device's manifest that has it.
    """
    overrides = pairs("parameter", request.parameters), pairs("define", request.defines)
    if request.dut == MODEL:
        if any(overrides):
            raise UsageError("the device model takes neither parameters nor defines")
        return None
    manifest = load_manifest(bundled_manifest(interface) if interface else Path(request.dut))
    parameters, defines = manifest.hdl.parameters | overrides[0], manifest.hdl.defines | overrides[1]
    return replace(manifest, hdl=replace(manifest.hdl, parameters=parameters, defines=defines))


def pairs(what: str, words: Sequence[str]) -> dict[str, str]:
    """The NAME=VALUE words of the option --`what`; raises UsageError for any other."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name.isidentifier() or (what == "parameter" and not equals):
            raise UsageError(f"--{what} {word!r}: give NAME=VALUE")
        found[name] = value
    return found


def fitting(tests: Sequence[SimTest], manifest: Manifest | None) -> list[SimTest]:
    """The tests that can be asked of this device (None: the model) at all; raises UsageError for none."""
    target = "rtl" if manifest else "model"
    device = manifest.device if manifest else "blk"
    served = tuple(INTERFACES)
    if manifest and not is_bundled(manifest):
        served = INTERFACES[manifest.interface]
    fit = [t for t in tests if target in t.targets and t.device in (None, device) and t.interface in served]
    if not fit:
        raise UsageError(f"none of the {len(tests)} tests is for a {device} device as {target}")
    return fit


def build_for(request: RunRequest, manifest: Manifest, tell: Callable[[str], None], *, waves: bool) -> Build:
    """The simulator that the request's runs on this DUT need; raises UsageError and ToolError."""
    if manifest.python_ports:
        from tb.ports.custom_class import check_classes

        check_classes(manifest)
    simulator = simulator_for(manifest, request.simulator)
    native = wants_native(manifest, simulator, request.path, waves)
    return build_with(simulator, manifest, tell, native=native, waves=waves, hasty=request.hasty)


def replay_command(request: RunRequest, manifest: Manifest | None, test: SimTest, seed: int) -> str:
    """The command that shows this test under this seed again, with waves where there are any."""
    if request.again:
        return request.again
    if request.argument:
        return shlex.join(["virtio-cosim", "replay", shown(Path(request.argument))])
    words = ["virtio-cosim", "run", "--test", test.name, "--seed", str(seed)]
    if manifest is None:
        words += ["--dut", MODEL]
    else:
        if request.simulator:
            words += ["--simulator", request.simulator]
        if request.simulator != ICARUS:
            words += ["--waves", "always"]
        if manifest.path != BUNDLED_MANIFEST:
            words += ["--dut", shown(manifest.path)]
    for option, pairs in (("--parameter", request.parameters), ("--define", request.defines)):
        words += [word for pair in pairs for word in (option, pair)]
    if request.stress:
        words += ["--stress", request.stress]
    if request.folder != SIM_TESTS:
        words += ["--tests", shown(request.folder)]
    if request.image is not None:
        words += ["--image", shown(request.image)]
    return shlex.join(words)
