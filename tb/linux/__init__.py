"""A real Linux guest as the driver: QEMU boots it, the bench is its virtio device over vfio-user."""
