"""Scripts of the repository, run as modules from its root; not part of the package."""
