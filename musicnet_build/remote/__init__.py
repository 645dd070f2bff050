"""Files that are elsewhere: read once into a local file, and folders and packages uploaded whole."""
