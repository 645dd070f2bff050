"""What an alignment knows besides labels, in the forms that musicians' and researchers' programs read."""
