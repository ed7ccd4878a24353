"""python -m edge_slm."""

from edge_slm.cli import main

main()
