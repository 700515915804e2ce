"""The DUT manifest (dut.toml): `load_manifest` reads one, `Manifest` is what it says."""

from tb.manifest.clocking import Clock, ResetPort
from tb.manifest.hdl import VERILOG_SUFFIXES, Hdl
from tb.manifest.pci import PciShell
from tb.manifest.ports import (
    BAR_KINDS,
    CONFIG_KINDS,
    DMA_KINDS,
    IRQ_KINDS,
    TLP,
    ULTRASCALE,
    BarPort,
    IrqPort,
    MediumPort,
    Port,
)
from tb.manifest.whole import DEVICE_TYPES, INTERFACES, Manifest, load_manifest

__all__ = [
    "BAR_KINDS",
    "CONFIG_KINDS",
    "DEVICE_TYPES",
    "DMA_KINDS",
    "INTERFACES",
    "IRQ_KINDS",
    "TLP",
    "ULTRASCALE",
    "VERILOG_SUFFIXES",
    "BarPort",
    "Clock",
    "Hdl",
    "IrqPort",
    "Manifest",
    "MediumPort",
    "PciShell",
    "Port",
    "ResetPort",
    "load_manifest",
]
