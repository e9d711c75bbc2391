"""What is left of a night under way, and how such forecasts fared on real nights."""
