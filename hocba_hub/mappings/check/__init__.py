"""What can be said of a mapping before a record comes: against source, target, tables and its own examples."""
