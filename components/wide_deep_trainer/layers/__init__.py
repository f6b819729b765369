"""Layers that both models are made of."""
