"""Who comes in a load test, as processes: Locust, those who insist, and what measures the generator."""
