"""A night at a pace: paused, slowed, sped up and instructed while others read its database."""
