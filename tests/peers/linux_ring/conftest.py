"""The simulation tests in here are for `virtio-cosim run --tests`, not for pytest."""

collect_ignore = ["sim"]
