"""Personal data in French texts: found by rules, and masked before anything is stored."""
