"""What makes a score too good: rows, groups, answers and times on both sides of a border."""
