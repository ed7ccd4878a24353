"""Time, memory and energy of what a user does, measured on this machine."""
