"""Speed and memory on this machine, against the same work done as in 2018: `make bench`."""
