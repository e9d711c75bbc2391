"""A load test for people to read: text, one HTML page, JSON."""
