"""Beam transforms and the pure functions behind them; nothing here knows of TFX."""
