"""TFX's Pusher, with a record beside each model, and no part of one that counts as whole."""
