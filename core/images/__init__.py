"""Images of the actas: kept by their SHA-256, shown as views without metadata, counted against the data.

The data never wait for an image, and nothing here decides what is published.
"""
