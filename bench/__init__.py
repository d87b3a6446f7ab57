"""Benchmarks: how fast the engine is, how much memory it takes, how soon it starts; ratios to other simulators in one run."""
