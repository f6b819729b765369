"""Using a pushed model."""
