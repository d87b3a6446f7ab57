"""Campaigns executed: finding and loading, the order of trials, workers here and elsewhere, the record."""
