"""Quality on data files: what `edge-slm eval` prints."""
