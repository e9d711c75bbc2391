"""The public Merkle log of emissions and what it stands on: proofs, tiles, signed notes, keys.

Pure formats and arithmetic over files: nothing here reads the database or decides what is published.
"""
