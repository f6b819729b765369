"""Data files on local disk: downloaded, unpacked or generated, and put in place in one step."""
