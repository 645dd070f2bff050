"""When each note is played: the recipes of alignment and their parts."""
