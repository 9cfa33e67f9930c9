"""Starts the policy pack; the rules are in rules/, one file for each domain. Never import this module."""

from pathlib import Path

from tollgate.policy.server import main

main("tollgate", "rules", Path(__file__).parent)
