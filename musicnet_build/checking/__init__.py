"""Labels that exist, heard against their recording: what is wrong with them, and how they are mended."""
