"""Which task takes a request: rules that are sure where they fire, a small classifier elsewhere."""
