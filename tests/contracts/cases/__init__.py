"""One module for each service, with what the contract suite needs of it."""
