"""How sure the labels are: confidence, flags, and the verdict on a recording."""
