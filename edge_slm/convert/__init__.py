"""Model files from third parties, turned into formats that the engines read."""
