"""The networks of the studies, a module each: presets, architecture, and how it is trained on a package."""
