"""hocba-hub: from the schools' systems to the province's platform and the Ministry's database, with proof."""

__version__ = "0.1.0"
