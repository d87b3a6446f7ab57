"""netarium: a test facility for future networks."""
