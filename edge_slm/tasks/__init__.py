"""What the assistant can do. A task gets engines and gives an answer; it opens nothing itself."""
