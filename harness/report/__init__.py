"""The release report: what a run did, as one HTML page that needs nothing else, and the JSON behind it."""
