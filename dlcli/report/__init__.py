"""What a person keeps: plots as files."""
