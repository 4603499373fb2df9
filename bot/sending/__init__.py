"""From a claimed delivery to the wire: dispatcher, lanes, pace, transport."""
