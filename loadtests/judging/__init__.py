"""What a load test found and what it means: content, times, cuts seen, invariants, verdict."""
