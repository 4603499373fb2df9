"""Decides what is posted and why: rules, planner, policies, dry run, thresholds."""
