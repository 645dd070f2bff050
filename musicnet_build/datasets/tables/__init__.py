"""Tables as people save them, and the columns of a manifest: a line to an entry, or to what is wrong with it."""
