"""What a pushed model recommends to all users, in Beam."""
