"""Files in the state folder: readable by this user only, and derived ones replaced when damaged."""
