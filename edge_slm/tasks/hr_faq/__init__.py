"""Questions over documents: approved, quoted, written, declined."""
