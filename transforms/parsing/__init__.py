"""From the bytes of raw files to columns; no Beam pipeline in sight."""
