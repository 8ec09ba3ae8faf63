"""The published tables: each module names the questions that its table answers."""
