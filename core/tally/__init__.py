"""Adding up: the snapshot a cut is made from, and the sums of every level."""
