"""What a device's state must be, reconstructed from boundary events alone."""
