"""What limits a model: errors as a ladder, the course of training, a verdict, and what to try next."""
