"""Models in processes of their own, under one memory budget."""
