"""Articles → feeds → documents → HTTP."""
