"""TFX's Evaluator, with the gate's bounds as execution properties of their own."""
