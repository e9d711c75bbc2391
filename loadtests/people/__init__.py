"""Who comes: Locust users that behave as people do. Importing these modules patches the process (gevent)."""
