"""Block device (virtio 1.4, 5.2)."""
