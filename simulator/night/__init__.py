"""One simulated night through the engine: arrivals, centres, people, links, faults, results."""
