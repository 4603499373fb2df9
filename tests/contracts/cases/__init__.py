"""One module for each service: what the contract suite has to know of it."""
