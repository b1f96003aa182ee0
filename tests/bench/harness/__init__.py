"""Measures the services from outside, as the operating system sees them."""
