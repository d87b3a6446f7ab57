"""Lets every test folder import what stands beside this file: `running` and `naive`."""
