"""Reports as one file of HTML that opens from a mail: nothing is loaded from elsewhere."""
