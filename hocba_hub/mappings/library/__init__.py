"""The mappings that come with the hub, and which version is the right one: `mapping_set.py`."""
