"""Ways to get text from a model: one file each, all behind the small protocol of `protocol`."""
