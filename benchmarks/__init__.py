"""How fast and how heavy the system is, as ratios measured beside their own denominator.

`python -m benchmarks` runs them. Nothing here is imported by the product.
"""
