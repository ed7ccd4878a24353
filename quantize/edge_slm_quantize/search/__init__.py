"""Which recipes to try for which device, in which order, on which machines, and what must hold."""
