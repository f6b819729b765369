"""What every trainer shares: devices, the epoch loop with its checkpoints, and their settings."""
