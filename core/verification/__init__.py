"""Verification of a publication by anyone: the single-file verifier and its verb."""
