"""Records as mappings read them, from JSON, XML and rows, each knowing the place of its values."""
