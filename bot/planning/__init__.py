"""What is posted, and why: rules, planner, dry run, thresholds."""
