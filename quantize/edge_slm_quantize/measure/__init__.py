"""What a shrunk model is worth: texts, divergence, vectors, speed, task suites."""
