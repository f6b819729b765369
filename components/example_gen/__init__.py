"""What our ExampleGens share: splits made by the executor, columnar writing, counters."""
