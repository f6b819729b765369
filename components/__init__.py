"""What TFX executes: ExampleGens, trainers, metrics and gates."""
