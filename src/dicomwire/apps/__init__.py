"""The command line tools: arguments into associations, and what happens on them into lines."""
