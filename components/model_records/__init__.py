"""What is known of the models in a serving folder, and which of them is in use."""
