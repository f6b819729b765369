"""The gate on data: stops a run whose Examples do not fit the schema."""
