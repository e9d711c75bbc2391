"""What deserves somebody's attention: the rules, their limits, the life of each alert and its grouping."""
