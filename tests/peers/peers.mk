# Peer tests: the guest driver on QEMU's own devices, and Linux's ring code as a driver.

.PHONY: peers linuxrings
peers: $(STAMP) ## our driver on QEMU's own devices, judged by the checker
	@tests/peers/get_qemu.sh
	@$(PYTHON_ENV) -m pytest tests/peers

linuxrings: $(STAMP) ## Linux's own ring code as the driver of the RTL
	@$(COSIM) run --tests tests/peers/linux_ring/sim
