"""Workloads: what the applications of a service offer to the network, and when."""
