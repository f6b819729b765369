"""What every room needs and no pipeline owns: settings, errors, digests, files."""
