"""What a mapping says: a YAML document, read and held against its form; rules, conditions and paths as data."""
