"""Errors of ratings as TFMA metrics, over Examples that are lists."""
