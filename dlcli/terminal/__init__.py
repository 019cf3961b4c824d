"""What a person sees: problems, progress and tables, drawn with rich."""
