"""What every tuner shares: TFX's Tuner over the trainers' own epoch loop."""
