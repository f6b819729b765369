"""Hands out the schema that is curated by hand and shipped with a trainer."""
