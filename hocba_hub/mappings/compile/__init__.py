"""From a document to functions: `compiled_mapping.py` is the way in, for intake and for delivery."""
