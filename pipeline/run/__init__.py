"""One run on this machine: progress, verdict, records, remedies."""
