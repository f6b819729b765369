"""The classifier of census: wide, deep, or both."""
