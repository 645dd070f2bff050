"""How wrong a dataset's labels are: what to listen to, and the rate that the judgements come to, with its interval."""
