"""What a person keeps of a run: the page, the card, plots, and logs for other tools."""
