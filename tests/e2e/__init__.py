"""The installed command, on real models."""
