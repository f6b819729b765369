"""What the pipelines are: a file for each of them."""
