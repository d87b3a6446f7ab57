"""The congestion controls: one file each, all with the same six verbs, joined in dispatch.py."""
