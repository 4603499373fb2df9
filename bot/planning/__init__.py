"""What is to be posted, and why: rules, planner, dry run, thresholds."""
