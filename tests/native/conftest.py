"""What the tests of the native library share."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from native.binding import binding
from native.host import NativeHost, NativeMemory

BASE = 0x10_0000
LENGTH = 1 << 20
PERIOD = 4000
FUZZ = settings(
    max_examples=int(os.environ.get("VIRTIO_COSIM_EXAMPLES", "80")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
"""For the twins' tests: a fair sample; VIRTIO_COSIM_EXAMPLES asks for another number of examples."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "simulator: needs a built simulator")


@pytest.fixture
def lib() -> Any:
    return binding().lib


@pytest.fixture
def ffi() -> Any:
    return binding().ffi


@pytest.fixture
def memory() -> NativeMemory:
    """One region of a MiB."""
    memory = NativeMemory()
    memory.region = memory.add(BASE, LENGTH)  # type: ignore[attr-defined]
    return memory


@pytest.fixture
def host() -> NativeHost:
    """A host that keeps its events."""
    host = NativeHost(0, PERIOD)
    host.keep(True)
    return host
