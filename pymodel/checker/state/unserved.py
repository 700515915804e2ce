"""Buffers that a device leaves lying although nothing keeps it from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymodel.checker.facts import Unserved

if TYPE_CHECKING:
    from pymodel.checker.state.boundary import State
    from pymodel.checker.state.tracker import Tracker

PATIENCE = 10
"""Settling times that a buffer may lie, while the device does nothing for other buffers of its queue, before
that is worth a fact when the session ends: a buffer is work, which takes longer than a notification does."""


def _idle(state: State, tracker: Tracker) -> bool:
    """Whether the device is free to serve the ring: nobody else is to move, and nothing went wrong."""
    session = state.session
    hindered = session.suspend_written or session.failed or not state.mastering()
    # A device that reported a configuration change may have set DEVICE_NEEDS_RESET, which nobody read yet.
    broken = session.needs_reset or session.troubled or state.interrupts.config_noticed
    driver_owes = tracker.kick is not None or tracker.queue.resetting
    observed = state.simulated or state.memory.seen
    return session.live and observed and not (hindered or broken or driver_owes or tracker.lost)


def publish_unserved(state: State, tracker: Tracker) -> None:
    """Say which buffer has waited longest, if it is too long; called when the ring's session ends."""
    if not _idle(state, tracker):
        return
    for chain in tracker.chains():
        since = max(chain.since, state.session.live_t, state.command_t, tracker.worked_t)
        if chain.complete and (state.now - since) // PATIENCE > state.settle:
            state.publish(Unserved(tracker.queue, chain, since))
            return
