"""The measures of `edge-slm bench runtime`: memory, stops, speed, and a peer to compare with."""
